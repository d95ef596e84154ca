#include "data/models/gguf_value.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstring>

#include "core/base/text.h"

namespace qaq {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read in place");

struct TypeInfo {
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array<TypeInfo, 13> kTypes{{{"u8", 1},
                                           {"i8", 1},
                                           {"u16", 2},
                                           {"i16", 2},
                                           {"u32", 4},
                                           {"i32", 4},
                                           {"f32", 4},
                                           {"bool", 1},
                                           {"string", 0},
                                           {"array", 0},
                                           {"u64", 8},
                                           {"i64", 8},
                                           {"f64", 8}}};

template <class T>
T load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Cut to whole characters; bytes that are no UTF-8 become '?'.
std::string displayed(std::string_view text, std::size_t max_bytes) {
  std::string out(text.substr(0, max_bytes));
  const bool cut = out.size() < text.size();
  while (const auto bad = invalid_utf8_offset(out)) {
    if (cut && *bad + 4 > out.size()) {
      out.resize(*bad);
    } else {
      out[*bad] = '?';
    }
  }
  return cut ? out + "..." : out;
}

}  // namespace

std::optional<std::string_view> gguf_type_name(GgufType type) {
  const auto number = static_cast<std::size_t>(type);
  if (number >= kTypes.size()) return std::nullopt;
  return kTypes[number].name;
}

std::size_t gguf_type_bytes(GgufType type) {
  return kTypes.at(static_cast<std::size_t>(type)).bytes;
}

GgufValue gguf_scalar(GgufType type, const std::byte* bytes) {
  using U = std::uint64_t;
  using I = std::int64_t;
  switch (type) {
    case GgufType::u8:
      return {type, U{load<std::uint8_t>(bytes)}};
    case GgufType::i8:
      return {type, I{load<std::int8_t>(bytes)}};
    case GgufType::u16:
      return {type, U{load<std::uint16_t>(bytes)}};
    case GgufType::i16:
      return {type, I{load<std::int16_t>(bytes)}};
    case GgufType::u32:
      return {type, U{load<std::uint32_t>(bytes)}};
    case GgufType::i32:
      return {type, I{load<std::int32_t>(bytes)}};
    case GgufType::u64:
      return {type, load<U>(bytes)};
    case GgufType::i64:
      return {type, load<I>(bytes)};
    case GgufType::f32:
      return {type, static_cast<double>(load<float>(bytes))};
    case GgufType::f64:
      return {type, load<double>(bytes)};
    case GgufType::boolean:
      return {type, load<std::uint8_t>(bytes) != 0};
    case GgufType::string:
    case GgufType::array:
      break;
  }
  assert(false && "strings and arrays are no scalars");
  return {};
}

std::string display_text(const GgufValue& value, std::size_t max_bytes) {
  if (const auto* text = std::get_if<std::string_view>(&value.data))
    return displayed(*text, max_bytes);
  if (const auto* array = std::get_if<GgufArray>(&value.data)) {
    return cat(array->count, " x ", *gguf_type_name(array->element));
  }
  if (const auto* flag = std::get_if<bool>(&value.data)) return *flag ? "true" : "false";
  if (const auto* real = std::get_if<double>(&value.data)) {
    // The shortest text of a float is not that of the double that holds it.
    return value.type == GgufType::f32 ? cat(static_cast<float>(*real)) : number_text(*real);
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value.data)) return cat(*integer);
  return cat(std::get<std::uint64_t>(value.data));
}

}  // namespace qaq
