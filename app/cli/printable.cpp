#include "app/cli/printable.h"

#include <array>
#include <cstdio>
#include <optional>

#include "core/base/text.h"

namespace qaq::cli {
namespace {

struct Character {
  std::string_view bytes;
  std::optional<char32_t> code;  ///< nothing: one byte that is no UTF-8
};

// The first character of a text that is not empty.
Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const std::string_view bytes = text.substr(0, length);
  if (invalid_utf8_offset(bytes)) return {text.substr(0, 1), std::nullopt};
  char32_t code = length == 1 ? lead : lead & (0x7fu >> length);
  for (const char c : bytes.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fu);
  return {bytes, code};
}

bool is_safe(char32_t code) {
  const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const bool line_end = code == 0x2028 || code == 0x2029;
  const bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return !control && !line_end && !turns;
}

std::string escape(const Character& character) {
  if (character.code == U'\n') return "\\n";
  if (character.code == U'\t') return "\\t";
  if (character.code == U'\r') return "\\r";
  const auto byte = static_cast<unsigned char>(character.bytes[0]);
  const unsigned number = character.code ? static_cast<unsigned>(*character.code) : byte;
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), number < 0x100 ? "\\x%02x" : "\\u%04x", number);
  return text.data();
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_characters) {
  std::string out;
  for (std::size_t n = 0; !text.empty(); ++n) {
    if (n == max_characters) return out + "...";
    const Character character = first_of(text);
    const bool safe = character.code && is_safe(*character.code);
    out += safe ? std::string(character.bytes) : escape(character);
    text.remove_prefix(character.bytes.size());
  }
  return out;
}

}  // namespace qaq::cli
