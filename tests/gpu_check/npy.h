#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qaq::gpu_check {

/// An array of a .npy file: little-endian f4, f8, i4 or i8 in C order.
class NpyArray {
 public:
  /// Throws Error{input} for everything else.
  explicit NpyArray(const std::string& path);

  const std::vector<std::int64_t>& shape() const { return shape_; }
  /// Of f4 or f8; throws Error{input} for whole numbers.
  std::vector<float> floats() const;
  /// Of i4 or i8; throws Error{input} for fractions.
  std::vector<std::int64_t> integers() const;

 private:
  enum class Type : std::uint8_t { f4, f8, i4, i8 };

  void parse_header(const std::string& header);
  [[noreturn]] void refuse(const std::string& what) const;
  std::size_t item_bytes() const { return type_ == Type::f4 || type_ == Type::i4 ? 4 : 8; }
  template <class Item, class To>
  std::vector<To> converted() const;

  std::string path_;
  Type type_ = Type::f4;
  std::vector<std::int64_t> shape_;
  std::string bytes_;
};

}  // namespace qaq::gpu_check
