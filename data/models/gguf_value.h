#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace qaq {

/// Types of GGUF metadata values, numbered as in the file.
enum class GgufType : std::uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};

/// "u32", "string" ...; nothing where the number is no type.
std::optional<std::string_view> gguf_type_name(GgufType type);
/// Bytes of a number or truth value; 0 of strings and arrays, whose size varies.
std::size_t gguf_type_bytes(GgufType type);

/// `count` elements one after the other, checked to lie within the file. A string is a u64 length
/// and its bytes; an array within an array is a u32 type, a u64 count and its elements.
struct GgufArray {
  GgufType element = GgufType::u8;
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;
};

/// One metadata value. Strings and arrays point into the mapped file.
struct GgufValue {
  GgufType type = GgufType::u8;
  std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view, GgufArray> data;
};

/// A number or truth value from its bytes, at any alignment; `bytes` holds gguf_type_bytes(type).
GgufValue gguf_scalar(GgufType type, const std::byte* bytes);

/// For people: "30", "true", "llama", "49152 x string". Valid UTF-8, whatever the file holds; text
/// longer than `max_bytes` is cut.
std::string display_text(const GgufValue& value, std::size_t max_bytes = 120);

}  // namespace qaq
