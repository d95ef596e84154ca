#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace qaq {

/// A JSON object of a file of many, with typed getters. They throw Error{input} with line and key
/// as the place.
class JsonRecord {
 public:
  JsonRecord(std::string file, std::int64_t line, nlohmann::ordered_json object);

  std::int64_t line() const { return line_; }
  bool contains(std::string_view key) const { return object_.contains(std::string(key)); }
  const std::string& text(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  /// A whole number, or text that is one where `as_text` says so (HellaSwag's labels come as both).
  std::int64_t integer(std::string_view key, bool as_text = false) const;

  /// Throws Error{input} about the key.
  [[noreturn]] void refuse(std::string_view key, const std::string& what) const;

 private:
  const nlohmann::ordered_json& need(std::string_view key, const char* wanted) const;

  std::string file_;
  std::int64_t line_;
  nlohmann::ordered_json object_;
};

/// The records of `text`: of a JSON array, or one a line (lines may end in CRLF; blank ones are
/// passed over). Throws Error{input} naming the line where one is no JSON object or not UTF-8.
std::vector<JsonRecord> json_records(std::string_view text, const std::string& file);

/// Lines of a text with their ends taken off; behind a last line's end there is none.
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace qaq
