#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/files/whole_file.h"
#include "data/models/json_object.h"
#include "data/session/session_file.h"

namespace qaq {
namespace {

constexpr std::uintmax_t kMostBytes = 16u << 20;
constexpr int kMostLevels = 32;
constexpr std::int64_t kMostIndex = std::numeric_limits<std::int32_t>::max();

// Before the parser builds anything: lists in lists cost memory and, when written, stack.
void check_levels(const std::string& text, const std::string& file) {
  int levels = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++levels <= kMostLevels) continue;
      refuse_input({.file = file,
                    .place = json_place(text, i),
                    .what = cat("is nested deeper than ", kMostLevels, " levels"),
                    .cure = "no session is; get the file again"});
    } else if (c == ']' || c == '}') {
      --levels;
    }
  }
}

// The keys of one object, taken one by one; what is left is not known here.
class Fields {
 public:
  Fields(const std::string& file, std::string place, SessionJson json)
      : file_(file), place_(std::move(place)), json_(std::move(json)) {
    if (!json_.is_object()) refuse("", "is no JSON object", "write {...}");
  }

  std::optional<SessionJson> take(const std::string& key) {
    const auto at = json_.find(key);
    if (at == json_.end()) return std::nullopt;
    SessionJson value = std::move(*at);
    json_.erase(at);
    if (value.is_null()) return std::nullopt;
    return value;
  }

  std::string text(const std::string& key, bool needed = false) {
    const auto value = take(key);
    if (!value && !needed) return {};
    if (!value || !value->is_string() || (needed && value->get<std::string>().empty())) {
      refuse(key, value ? "is no text" : "is missing", cat("write \"", key, "\": \"...\""));
    }
    return value->get<std::string>();
  }

  std::optional<std::int64_t> index(const std::string& key, std::int64_t most = kMostIndex) {
    const auto value = take(key);
    if (!value) return std::nullopt;
    const bool whole = value->is_number_unsigned() &&
                       value->get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
    if (!whole) {
      refuse(key, cat(value->dump(), " is no whole number from 0 to ", most), "correct it");
    }
    return value->get<std::int64_t>();
  }

  std::int64_t needed_index(const std::string& key) {
    const auto value = index(key);
    if (!value) refuse(key, "is missing", cat("write \"", key, "\": 0"));
    return *value;
  }

  std::optional<Fields> object(const std::string& key) {
    auto value = take(key);
    if (!value) return std::nullopt;
    return Fields(file_, place_of(key), std::move(*value));
  }

  template <class Read>
  void each(const std::string& key, Read read) {
    const auto value = take(key);
    if (!value) return;
    if (!value->is_array()) refuse(key, "is no list", cat("write \"", key, "\": [...]"));
    for (std::size_t i = 0; i < value->size(); ++i) read((*value)[i], cat(place_of(key), "/", i));
  }

  template <class Read>
  void each_object(const std::string& key, Read read) {
    each(key, [&](const SessionJson& json, const std::string& place) {
      read(Fields(file_, place, json));
    });
  }

  SessionParameters parameters(const std::string& key) {
    SessionParameters out;
    auto values = object(key);
    if (!values) return out;
    for (const auto& [name, value] : values->json_.items()) {
      out.emplace_back(name, values->parameter(name, value));
    }
    return out;
  }

  SessionJson rest() { return std::move(json_); }

  [[noreturn]] void refuse(const std::string& key, const std::string& what,
                           const std::string& cure) const {
    refuse_input(
        {.file = file_, .place = key.empty() ? place_ : place_of(key), .what = what, .cure = cure});
  }

  std::string place_of(const std::string& key) const {
    return place_.empty() ? key : place_ + "/" + key;
  }

 private:
  ParameterValue parameter(const std::string& name, const SessionJson& value) const {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_number()) return value.get<double>();
    if (value.is_string()) return value.get<std::string>();
    refuse(name, "is no single value", "give a number, a truth value or a name");
  }

  const std::string& file_;
  std::string place_;
  SessionJson json_;
};

std::optional<FileDigest> digest_of(Fields& fields) {
  const auto n_bytes = fields.index("bytes", std::int64_t{1} << 53);
  const std::string sha256 = fields.text("sha256");
  const bool hex = std::ranges::all_of(
      sha256, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!sha256.empty() && (sha256.size() != 64 || !hex)) {
    fields.refuse("sha256", "is no SHA-256", "give its 64 lower-case hexadecimal digits");
  }
  if (!n_bytes || sha256.empty()) return std::nullopt;
  return FileDigest{*n_bytes, sha256};
}

SessionCapture capture_of(Fields fields) {
  SessionCapture out{.path = fields.text("path", true), .digest = digest_of(fields)};
  out.rest = fields.rest();
  return out;
}

SessionCell cell_of(Fields fields) {
  SessionCell out;
  if (const std::string cache = fields.text("cache"); !cache.empty()) {
    if (cache != "key" && cache != "value") {
      fields.refuse("cache", cat("\"", cache, "\" is no cache"), "write \"key\" or \"value\"");
    }
    out.cache = cache;
  }
  out.layer = fields.needed_index("layer");
  out.head = fields.needed_index("head");
  out.query_head = fields.index("query_head");
  out.token = fields.index("token");
  out.step = fields.index("step");
  out.channel = fields.index("channel");
  out.rest = fields.rest();
  return out;
}

std::optional<SessionCell> cell_of(Fields& fields, const std::string& key, bool needs_token) {
  auto object = fields.object(key);
  if (!object) return std::nullopt;
  SessionCell cell = cell_of(std::move(*object));
  if (needs_token && !cell.token) {
    fields.refuse(key + "/token", "is missing", "write \"token\": 0");
  }
  return cell;
}

// Sessions of older programs name none: there was one.
std::string policy_of(Fields& fields) {
  std::string name = fields.text("policy");
  return name.empty() ? "qaq" : name;
}

SessionRun run_of(Fields fields) {
  SessionRun out{.name = fields.text("name", true),
                 .capture = fields.text("capture"),
                 .set = fields.parameters("set"),
                 .prefix = fields.index("prefix").value_or(0),
                 .policy = policy_of(fields)};
  out.rest = fields.rest();
  return out;
}

std::optional<SessionReference> reference_of(Fields& fields) {
  auto object = fields.object("reference");
  if (!object) return std::nullopt;
  SessionReference out;
  out.kind = object->text("kind");
  if (out.kind != "setting" && out.kind != "whole" && out.kind != "shown") {
    object->refuse("kind", "is no kind of reference", "write \"setting\", \"whole\" or \"shown\"");
  }
  out.run = run_of(std::move(*object));
  return out;
}

bool is_index(const SessionJson& json) {
  return json.is_number_unsigned() &&
         json.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMostIndex);
}

SessionSlice slice_of(Fields fields) {
  SessionSlice out{.name = fields.text("name", true), .tokens = {}};
  fields.each("tokens", [&](const SessionJson& json, const std::string& place) {
    if (!is_index(json)) {
      fields.refuse("tokens", cat(place, " is no position"), "give whole numbers from 0");
    }
    out.tokens.push_back(json.get<std::int64_t>());
  });
  fields.each("boxes", [&](const SessionJson& json, const std::string& place) {
    if (!json.is_array() || json.size() != 4 || !std::ranges::all_of(json, is_index)) {
      fields.refuse("boxes", cat(place, " is no box"),
                    "give first and last token, first and last row");
    }
    out.boxes.push_back(json.get<std::array<std::int64_t, 4>>());
  });
  out.rest = fields.rest();
  return out;
}

SessionPage page_of(Fields fields) {
  SessionPage out{.title = fields.text("title"), .rows = {}};
  fields.each("rows", [&](const SessionJson& row, const std::string&) {
    const bool ids = row.is_array() && !row.empty() &&
                     std::ranges::all_of(row, [](const auto& id) { return id.is_string(); });
    if (!ids) {
      fields.refuse("rows", "holds a row that is no list of views", "write [[\"bits\"], ...]");
    }
    out.rows.push_back(row.get<std::vector<std::string>>());
  });
  if (out.rows.empty()) fields.refuse("rows", "is empty", "write [[\"bits\"], ...]");
  out.rest = fields.rest();
  return out;
}

SessionAnnotation annotation_of(Fields fields) {
  const auto cell = cell_of(fields, "cell", true);
  if (!cell) fields.refuse("cell", "is missing", "write \"cell\": {\"layer\": 0, ...}");
  SessionAnnotation out{.cell = *cell, .text = fields.text("text")};
  out.rest = fields.rest();
  return out;
}

void check_format(Fields& fields) {
  if (fields.text("format") != "qaq-session") {
    fields.refuse("format", "is not \"qaq-session\"", "write \"format\": \"qaq-session\"");
  }
  const SessionJson version = fields.take("version").value_or(SessionJson());
  if (version != 1) {
    fields.refuse("version", cat("version ", version.dump(), " is not known"),
                  "this program reads version 1; a newer file needs a newer program");
  }
}

}  // namespace

SessionFile parse_session(const std::string& text, const std::string& file) {
  check_levels(text, file);
  Fields fields(file, "", parse_json(text, file));
  check_format(fields);
  SessionFile out;
  out.app_version = fields.text("app_version");
  fields.each_object("captures",
                     [&](Fields each) { out.captures.push_back(capture_of(std::move(each))); });
  out.open = fields.text("open");
  out.policy = policy_of(fields);
  out.set = fields.parameters("set");
  out.prefix = fields.index("prefix").value_or(0);
  out.slice = cell_of(fields, "slice", false);
  out.lock = cell_of(fields, "lock", true);
  fields.each_object("runs", [&](Fields each) { out.runs.push_back(run_of(std::move(each))); });
  out.reference = reference_of(fields);
  fields.each_object("pages", [&](Fields each) { out.pages.push_back(page_of(std::move(each))); });
  out.page = fields.index("page").value_or(0);
  if (auto views = fields.object("views")) out.views = views->rest();
  out.layout = fields.text("layout");
  fields.each_object("slices",
                     [&](Fields each) { out.slices.push_back(slice_of(std::move(each))); });
  fields.each_object("pins", [&](Fields each) { out.pins.push_back(cell_of(std::move(each))); });
  fields.each_object("annotations", [&](Fields each) {
    out.annotations.push_back(annotation_of(std::move(each)));
  });
  out.rest = fields.rest();
  return out;
}

SessionFile read_session(const std::string& path) {
  std::error_code error;
  const std::uintmax_t n_bytes = std::filesystem::file_size(path, error);
  if (!error && n_bytes > kMostBytes) {
    refuse_input({.file = path,
                  .what = cat("is larger than ", byte_text(static_cast<std::int64_t>(kMostBytes)),
                              ", as no session is"),
                  .cure = "name a .qaqsession file"});
  }
  return parse_session(read_whole(path, "cannot be read", "name a .qaqsession file"), path);
}

}  // namespace qaq
