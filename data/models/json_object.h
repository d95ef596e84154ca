#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace qaq {

/// "line 3, column 5" of a byte offset in a text.
std::string json_place(std::string_view text, std::size_t offset);

/// Parses `text` as one JSON document, with the file's order of keys. Throws Error{input} naming
/// line and column where it is none, is not UTF-8 or has the same key twice in an object. `where`
/// comes before the line: "the header".
nlohmann::ordered_json parse_json(std::string_view text, const std::string& file,
                                  const std::string& where = {});

/// A JSON object of a model's folder with typed getters. A key that is null counts as absent. They
/// throw Error{input} with the key's path as the place where it is missing, has another type or a
/// value out of range.
class JsonObject {
 public:
  /// Reads a whole file. Throws Error{input} where it cannot be read or holds no object.
  static JsonObject read(const std::string& file);
  /// `path` is put before keys in messages: "rope_scaling.".
  JsonObject(std::string file, nlohmann::ordered_json object, std::string path = {});

  const std::string& file() const { return file_; }
  const nlohmann::ordered_json& json() const { return object_; }
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  /// Of two names for the same key the one that is there, else the first; an empty one is none.
  std::string_view name_of(std::string_view first, std::string_view second) const;
  /// The value, or null.
  const nlohmann::ordered_json* find(std::string_view key) const;

  /// A whole number from 1 to 2^31 - 1, as sizes of models are.
  std::int64_t size(std::string_view key) const;
  std::int64_t size_or(std::string_view key, std::int64_t fallback) const;
  /// A finite number above 0.
  double positive(std::string_view key) const;
  double positive_or(std::string_view key, double fallback) const;
  bool flag_or(std::string_view key, bool fallback) const;
  std::string text_or(std::string_view key, std::string_view fallback) const;
  std::vector<std::string> texts(std::string_view key) const;
  /// One whole number or a list of them; empty where absent.
  std::vector<std::int64_t> integers(std::string_view key) const;
  /// An object within this one.
  JsonObject object(std::string_view key) const;

  /// Throws Error{input} about the key.
  [[noreturn]] void refuse(std::string_view key, const std::string& what,
                           const std::string& cure = {}) const;

 private:
  const nlohmann::ordered_json& need(std::string_view key) const;
  [[noreturn]] void refuse_type(std::string_view key, std::string_view wanted) const;

  std::string file_;
  nlohmann::ordered_json object_;
  std::string path_;
};

}  // namespace qaq
