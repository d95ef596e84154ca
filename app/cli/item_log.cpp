#include "app/cli/item_log.h"

#include <filesystem>
#include <sstream>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "qaq-evaluation-items";
constexpr const char* kOtherFile = "give another file, or remove this one";

Json header_of(const Json& made_with) {
  return {{"format", kFormat}, {"version", 1}, {"made_with", made_with}};
}

// Names the first key that differs.
[[noreturn]] void refuse_header(const std::string& path, const Json& found, const Json& wanted) {
  if (found.is_object() && found.contains("made_with") && found["made_with"].is_object()) {
    for (const auto& [key, value] : wanted["made_with"].items()) {
      const Json& theirs = found["made_with"];
      if (theirs.contains(key) && theirs[key] == value) continue;
      refuse_input({.file = path,
                    .place = cat("line 1, made_with/", key),
                    .what = cat("holds items of another evaluation: ",
                                theirs.contains(key) ? theirs[key].dump() : "nothing",
                                " instead of ", value.dump()),
                    .cure = kOtherFile});
    }
  }
  refuse_input({.file = path,
                .place = "line 1",
                .what = "is no file of finished items of an evaluation",
                .cure = kOtherFile});
}

}  // namespace

ItemLog::ItemLog(std::string path, const Json& made_with, OtherItems others)
    : path_(std::move(path)) {
  if (std::filesystem::exists(path_)) read(header_of(made_with), others);
  out_.open(path_, std::ios::binary | std::ios::app);
  if (!out_) {
    throw Error(ErrorKind::work, {.file = path_,
                                  .what = "cannot be written",
                                  .cure = "give a file in a folder that may be written"});
  }
  if (std::filesystem::file_size(path_) == 0) write_line(header_of(made_with));
}

void ItemLog::read(const Json& header, OtherItems others) {
  std::ifstream in(path_, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  const std::string text = std::move(all).str();
  std::size_t at = 0, n_lines = 0;
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', at)) {
    const Json line = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(at),
                                  text.begin() + static_cast<std::ptrdiff_t>(end), nullptr,
                                  /*allow_exceptions=*/false);
    if (n_lines == 0) {
      if (others == OtherItems::begin_anew && line != header && line.is_object() &&
          line.contains("format") && line["format"] == kFormat) {
        std::filesystem::resize_file(path_, 0);
        return;
      }
      // What is no JSON is neither equal nor unequal to anything.
      if (line.is_discarded() || line != header) refuse_header(path_, line, header);
    } else {
      try {
        finished_.push_back(item_from_json(line, header["made_with"]["settings"].size()));
      } catch (const Error& error) {
        ErrorText refused = error.text();
        refused.place = cat("line ", n_lines + 1);
        throw Error(error.kind(), refused).with_file(path_);
      }
    }
    ++n_lines;
    at = end + 1;
  }
  if (n_lines == 0 && !text.empty()) refuse_header(path_, Json(), header);
  // What was cut off while it was written.
  if (at < text.size()) std::filesystem::resize_file(path_, at);
}

void ItemLog::require(std::size_t i, const std::string& id, std::int32_t answer) const {
  const ItemResult& item = finished_[i];
  if (item.id == id && item.answer == answer) return;
  refuse_input({.file = path_,
                .place = cat("line ", i + 2),
                .what = cat("is item ", item.id, " with answer ", item.answer, ", and ", id,
                            " with answer ", answer, " has to stand there"),
                .cure = kOtherFile});
}

void ItemLog::append(const ItemResult& item) { write_line(item_json(item)); }

void ItemLog::write_line(const Json& json) {
  out_ << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
  if (!out_) {
    throw Error(ErrorKind::work, {.file = path_,
                                  .what = "writing failed",
                                  .cure = "make room on the disk; finished items are kept"});
  }
}

}  // namespace qaq::cli
