#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/models/gguf_value.h"

namespace qaq {

struct GgufEntry {
  std::string key;
  GgufValue value;
};

/// The key-value pairs of a GGUF file. The typed getters take every type that can hold what is
/// asked for (a count may be stored as u32, u64, i32 ...) and throw Error{input} with the key as
/// the place where the key is missing, has another type or a value out of range.
class GgufMetadata {
 public:
  /// `file` is the name for messages. Keys are distinct.
  GgufMetadata(std::string file, std::vector<GgufEntry> entries);

  const std::string& file() const { return file_; }
  /// In the file's order.
  const std::vector<GgufEntry>& entries() const { return entries_; }
  const GgufValue* find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }

  /// A whole number from 0 to 2^63 - 1.
  std::int64_t count(std::string_view key) const;
  std::int64_t count_or(std::string_view key, std::int64_t fallback) const;
  /// A finite number; whole ones are taken too.
  double real(std::string_view key) const;
  double real_or(std::string_view key, double fallback) const;
  bool flag_or(std::string_view key, bool fallback) const;
  /// Valid UTF-8.
  std::string text(std::string_view key) const;
  std::string text_or(std::string_view key, std::string_view fallback) const;
  /// An array of strings, any bytes; they point into the file.
  std::vector<std::string_view> texts(std::string_view key) const;
  /// An array of whole numbers.
  std::vector<std::int64_t> integers(std::string_view key) const;

  /// Throws Error{input} about the key; without a cure, to convert the model again.
  [[noreturn]] void refuse(std::string_view key, const std::string& what,
                           const std::string& cure = {}) const;

 private:
  const GgufValue& need(std::string_view key) const;
  const GgufArray& need_array(std::string_view key) const;
  [[noreturn]] void refuse_type(std::string_view key, std::string_view wanted) const;

  std::string file_;
  std::vector<GgufEntry> entries_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

}  // namespace qaq
