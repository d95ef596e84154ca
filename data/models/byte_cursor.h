#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace qaq {

/// Reads a file's bytes in order and never beyond their end. Errors name the place that was set
/// last, or the byte offset where none is.
class ByteCursor {
 public:
  /// `file` is its name for messages. Both outlive the cursor.
  ByteCursor(std::span<const std::byte> bytes, const std::string& file)
      : bytes_(bytes), file_(file) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }
  /// What is being read, for messages: a metadata key or a tensor; empty: the byte offset.
  void set_place(std::string place) { place_ = std::move(place); }

  /// A little-endian number. `what` names it: "a tensor offset".
  template <class T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }
  /// The next `n` bytes.
  std::span<const std::byte> take(std::uint64_t n, std::string_view what);
  /// A u64 length and as many bytes.
  std::string_view string(std::string_view what);

  /// Throws Error{input} about the place; without a cure, the file is said to be damaged.
  [[noreturn]] void refuse(const std::string& what, const std::string& cure = {}) const;

 private:
  std::span<const std::byte> bytes_;
  const std::string& file_;
  std::size_t offset_ = 0;
  std::string place_;
};

}  // namespace qaq
