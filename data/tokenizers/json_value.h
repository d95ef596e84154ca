#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace qaq {

/// A place in a JSON file that was parsed. Every getter throws Error{input} with the place, as in
/// `pre_tokenizer.pretokenizers[0].pattern`, where the value is missing or of another type. A null
/// counts as missing. File and document outlive it.
class JsonValue {
 public:
  JsonValue(const nlohmann::json& json, const std::string& file, std::string place = {})
      : json_(&json), file_(&file), place_(std::move(place)) {}

  const nlohmann::json& json() const { return *json_; }
  const std::string& file() const { return *file_; }

  JsonValue at(const std::string& key) const;
  std::optional<JsonValue> find(const std::string& key) const;
  std::vector<JsonValue> elements() const;

  std::string text() const;
  std::int64_t integer() const;
  bool flag() const;
  std::string text_or(const std::string& key, const std::string& fallback) const;
  bool flag_or(const std::string& key, bool fallback) const;

  /// Throws Error{input} about this place; without a cure, to download the file again.
  [[noreturn]] void refuse(const std::string& what, const std::string& cure = {}) const;

 private:
  const nlohmann::json* json_;
  const std::string* file_;
  std::string place_;
};

/// The text of a file. Throws Error{input} where it cannot be read.
std::string read_file(const std::string& path);

/// Parses a JSON file whose document is an object. Throws Error{input} with line and column. Keys
/// lose their order, since a parser that keeps it takes quadratic time in a vocabulary.
nlohmann::json read_json_object(const std::string& path);

}  // namespace qaq
