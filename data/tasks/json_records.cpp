#include "data/tasks/json_records.h"

#include <algorithm>
#include <charconv>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/json_object.h"

namespace qaq {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kSpace = " \t\r\n";

// The parser counts lines within a record; the file's line takes that one's place.
ordered_json parse_line(std::string_view text, const std::string& file, std::int64_t line) {
  try {
    return parse_json(text, file);
  } catch (const Error& error) {
    ErrorText refused = error.text();
    constexpr std::string_view kFirst = "line 1, ";
    if (refused.place.starts_with(kFirst)) refused.place.erase(0, kFirst.size());
    refused.place = cat("line ", line, ", ", refused.place);
    refuse_input(std::move(refused));
  }
}

// Lines on which the elements of a valid JSON array begin.
std::vector<std::int64_t> element_lines(std::string_view text) {
  std::vector<std::int64_t> lines;
  std::int64_t line = 1, depth = 0;
  bool in_string = false, between = false;  // between: the next character begins an element
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
      continue;
    }
    if (kSpace.find(c) != kSpace.npos) continue;
    if (between && c != ']') lines.push_back(line);
    between = (c == '[' && depth == 0) || (c == ',' && depth == 1);
    if (c == '"') in_string = true;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
  }
  return lines;
}

}  // namespace

JsonRecord::JsonRecord(std::string file, std::int64_t line, ordered_json object)
    : file_(std::move(file)), line_(line), object_(std::move(object)) {
  if (object_.is_object()) return;
  refuse_input({.file = file_,
                .place = cat("line ", line_),
                .what = cat("is ", object_.type_name(), ", and a JSON object is needed"),
                .cure = "write one question an object"});
}

void JsonRecord::refuse(std::string_view key, const std::string& what) const {
  refuse_input({.file = file_,
                .place = cat("line ", line_, ", ", key),
                .what = what,
                .cure = "correct the record, or take it out"});
}

const ordered_json& JsonRecord::need(std::string_view key, const char* wanted) const {
  const auto at = object_.find(std::string(key));
  if (at == object_.end()) refuse(key, "the key is missing");
  const std::string_view name(wanted);
  const bool right = name == "a string"         ? at->is_string()
                     : name == "a whole number" ? at->is_number_integer()
                                                : at->is_array();
  if (!right) refuse(key, cat("the value is ", at->type_name(), ", and ", name, " is needed"));
  return *at;
}

const std::string& JsonRecord::text(std::string_view key) const {
  return need(key, "a string").get_ref<const std::string&>();
}

std::vector<std::string> JsonRecord::texts(std::string_view key) const {
  std::vector<std::string> out;
  for (const ordered_json& each : need(key, "a list of strings")) {
    if (!each.is_string()) {
      refuse(key, cat("holds ", each.type_name(), ", and strings are needed"));
    }
    out.push_back(each.get<std::string>());
  }
  return out;
}

std::int64_t JsonRecord::integer(std::string_view key, bool as_text) const {
  const auto at = object_.find(std::string(key));
  if (as_text && at != object_.end() && at->is_string()) {
    const std::string& word = at->get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
    if (read.ec != std::errc() || read.ptr != word.data() + word.size()) {
      refuse(key, cat("'", word, "' is no whole number"));
    }
    return number;
  }
  const ordered_json& value = need(key, "a whole number");
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX}) {
    refuse(key, cat(value.dump(), " is out of range"));
  }
  return value.get<std::int64_t>();
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::vector<JsonRecord> json_records(std::string_view text, const std::string& file) {
  std::vector<JsonRecord> out;
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first != text.npos && text[first] == '[') {
    const ordered_json array = parse_json(text, file);
    const std::vector<std::int64_t> lines = element_lines(text);
    for (std::size_t i = 0; i < array.size(); ++i) out.emplace_back(file, lines[i], array[i]);
    return out;
  }
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find_first_not_of(kSpace) == lines[i].npos) continue;
    const auto line = static_cast<std::int64_t>(i) + 1;
    out.emplace_back(file, line, parse_line(lines[i], file, line));
  }
  return out;
}

}  // namespace qaq
