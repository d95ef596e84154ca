#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qaq {

/// Reads the fields of one protocol buffer message in order and never beyond its end. Errors name
/// the byte's offset in the file.
class ProtobufReader {
 public:
  class Field {
   public:
    std::uint32_t number = 0;
    /// Each is empty or 0 where the field is stored as another kind.
    std::uint64_t integer() const { return integer_; }
    float real() const { return real_; }
    std::string_view bytes() const { return bytes_; }

   private:
    friend class ProtobufReader;
    std::uint64_t integer_ = 0;
    float real_ = 0;
    std::string_view bytes_;
  };

  /// `file` is its name for messages. Both outlive the reader and its fields.
  ProtobufReader(std::string_view bytes, const std::string& file) : rest_(bytes), file_(file) {}

  /// The next field; nothing at the end of the message. Throws Error{input} where it is cut.
  std::optional<Field> next();
  /// A reader of the message within a field of this one.
  ProtobufReader inside(const Field& field) const;

  /// Throws Error{input} about the byte last read; without a cure, to download the file again.
  [[noreturn]] void refuse(const std::string& what, const std::string& cure = {}) const;

 private:
  std::uint64_t varint();
  std::string_view take(std::uint64_t n);

  std::string_view rest_;
  const std::string& file_;
  std::size_t offset_ = 0;  ///< of rest_ in the file
};

}  // namespace qaq
