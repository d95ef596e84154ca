#include "data/models/json_object.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/mapped_file.h"

namespace qaq {
namespace {

using nlohmann::ordered_json;

// The library's explanation without its own prefix and place, on one line.
std::string reason_of(const std::string& message) {
  const std::size_t at = message.find(": ");
  std::string reason = at == message.npos ? message : message.substr(at + 2);
  std::ranges::replace_if(
      reason, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return reason;
}

// Notes the first key that an object has twice; the parser itself would keep the last value.
class RepeatedKey {
 public:
  bool operator()(int, ordered_json::parse_event_t event, ordered_json& value) {
    using Event = ordered_json::parse_event_t;
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key && !keys_.back().insert(value.get<std::string>()).second &&
        first_.empty()) {
      first_ = value.get<std::string>();
      found_ = true;
    }
    return true;
  }
  bool found() const { return found_; }
  const std::string& first() const { return first_; }

 private:
  std::vector<std::set<std::string>> keys_;
  std::string first_;
  bool found_ = false;
};

}  // namespace

std::string json_place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t line_begin = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  return cat("line ", line, ", column ", before.size() - line_begin + 1);
}

ordered_json parse_json(std::string_view text, const std::string& file, const std::string& where) {
  RepeatedKey repeated;
  const std::string prefix = where.empty() ? "" : where + ", ";
  // The parser takes a NUL for the end of the text, and JSON has none.
  if (const std::size_t nul = text.find('\0'); nul != text.npos) {
    refuse_input({.file = file,
                  .place = prefix + json_place(text, nul),
                  .what = "no JSON: a NUL byte",
                  .cure = "get the file again"});
  }
  try {
    ordered_json json = ordered_json::parse(text, std::ref(repeated));
    if (!repeated.found()) return json;
  } catch (const ordered_json::parse_error& error) {
    const std::size_t offset = error.byte > 0 ? error.byte - 1 : 0;
    refuse_input({.file = file,
                  .place = prefix + json_place(text, offset),
                  .what = "no JSON: " + reason_of(error.what()),
                  .cure = "correct it, or get the file again"});
  } catch (const ordered_json::out_of_range&) {
    refuse_input({.file = file,
                  .place = where,
                  .what = "has a number that is too large for any",
                  .cure = "correct it, or get the file again"});
  }
  refuse_input({.file = file,
                .place = prefix + repeated.first(),
                .what = "the key is there twice: it is a duplicate",
                .cure = "remove one: which value holds is unknown"});
}

JsonObject JsonObject::read(const std::string& file) {
  const MappedFile map(file);
  const std::string_view text(reinterpret_cast<const char*>(map.bytes().data()),
                              map.bytes().size());
  return {file, parse_json(text, file)};
}

JsonObject::JsonObject(std::string file, ordered_json object, std::string path)
    : file_(std::move(file)), object_(std::move(object)), path_(std::move(path)) {
  if (object_.is_object()) return;
  refuse_input({.file = file_,
                .place = path_.empty() ? "line 1" : path_.substr(0, path_.size() - 1),
                .what = cat("is ", object_.type_name(), ", and a JSON object is needed"),
                .cure = "get the file again"});
}

const ordered_json* JsonObject::find(std::string_view key) const {
  const auto at = object_.find(std::string(key));
  return at == object_.end() || at->is_null() ? nullptr : &*at;
}

std::string_view JsonObject::name_of(std::string_view first, std::string_view second) const {
  if (contains(first)) return first;
  return first.empty() || contains(second) ? second : first;
}

std::int64_t JsonObject::size(std::string_view key) const {
  const ordered_json& value = need(key);
  if (!value.is_number_integer()) refuse_type(key, "a whole number");
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= std::uint64_t{kMax}
                                               : value.get<std::int64_t>() <= kMax;
  if (!fits || value.get<std::int64_t>() < 1) {
    refuse(key, cat(value.dump(), " is out of range: from 1 to ", kMax, " is possible"));
  }
  return value.get<std::int64_t>();
}

std::int64_t JsonObject::size_or(std::string_view key, std::int64_t fallback) const {
  return contains(key) ? size(key) : fallback;
}

double JsonObject::positive(std::string_view key) const {
  const ordered_json& value = need(key);
  if (!value.is_number()) refuse_type(key, "a number");
  const double number = value.get<double>();
  if (!std::isfinite(number) || number <= 0) refuse(key, cat(value.dump(), " is not positive"));
  return number;
}

double JsonObject::positive_or(std::string_view key, double fallback) const {
  return contains(key) ? positive(key) : fallback;
}

bool JsonObject::flag_or(std::string_view key, bool fallback) const {
  const ordered_json* value = find(key);
  if (!value) return fallback;
  if (!value->is_boolean()) refuse_type(key, "a truth value");
  return value->get<bool>();
}

std::string JsonObject::text_or(std::string_view key, std::string_view fallback) const {
  const ordered_json* value = find(key);
  if (!value) return std::string(fallback);
  if (!value->is_string()) refuse_type(key, "a string");
  return value->get<std::string>();
}

std::vector<std::string> JsonObject::texts(std::string_view key) const {
  const ordered_json& value = need(key);
  if (!value.is_array()) refuse_type(key, "a list of strings");
  std::vector<std::string> out;
  for (const ordered_json& each : value) {
    if (!each.is_string()) refuse_type(key, "a list of strings");
    out.push_back(each.get<std::string>());
  }
  return out;
}

std::vector<std::int64_t> JsonObject::integers(std::string_view key) const {
  const ordered_json* value = find(key);
  if (!value) return {};
  const ordered_json list = value->is_array() ? *value : ordered_json::array({*value});
  std::vector<std::int64_t> out;
  for (const ordered_json& each : list) {
    if (!each.is_number_integer()) refuse_type(key, "a whole number or a list of them");
    out.push_back(each.get<std::int64_t>());
  }
  return out;
}

JsonObject JsonObject::object(std::string_view key) const {
  return {file_, need(key), cat(path_, key, ".")};
}

void JsonObject::refuse(std::string_view key, const std::string& what,
                        const std::string& cure) const {
  refuse_input({.file = file_,
                .place = cat(path_, key),
                .what = what,
                .cure = cure.empty() ? "correct the file or get the model again" : cure});
}

const ordered_json& JsonObject::need(std::string_view key) const {
  const ordered_json* value = find(key);
  if (!value) refuse(key, "the key is missing");
  return *value;
}

void JsonObject::refuse_type(std::string_view key, std::string_view wanted) const {
  refuse(key, cat("the value is ", need(key).type_name(), ", and ", wanted, " is needed"));
}

}  // namespace qaq
