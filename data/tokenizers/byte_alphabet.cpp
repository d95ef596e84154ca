#include "data/tokenizers/byte_alphabet.h"

#include <array>
#include <unordered_map>

namespace qaq {
namespace {

bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) ||
         (byte >= 0xae && byte <= 0xff);
}

// Code points up to U+07FF.
std::string utf8(unsigned code_point) {
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xc0 | (code_point >> 6)),
          static_cast<char>(0x80 | (code_point & 0x3f))};
}

struct Alphabet {
  std::array<std::string, 256> letters;
  std::unordered_map<std::string_view, unsigned char> bytes;

  Alphabet() {
    unsigned next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
      letters[byte] = utf8(stands_for_itself(byte) ? byte : next++);
      bytes.emplace(letters[byte], static_cast<unsigned char>(byte));
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet the_alphabet;
  return the_alphabet;
}

}  // namespace

std::string_view letter_of_byte(unsigned char byte) { return alphabet().letters[byte]; }

std::optional<unsigned char> byte_of_letter(std::string_view letter) {
  const auto at = alphabet().bytes.find(letter);
  return at == alphabet().bytes.end() ? std::nullopt : std::optional(at->second);
}

std::size_t character_bytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
}

bool is_in_letters(std::string_view token) {
  while (!token.empty()) {
    const std::string_view letter = token.substr(0, character_bytes(token[0]));
    if (!byte_of_letter(letter)) return false;
    token.remove_prefix(letter.size());
  }
  return true;
}

std::string bytes_of_letters(std::string_view token) {
  std::string out;
  while (!token.empty()) {
    const std::string_view letter = token.substr(0, character_bytes(token[0]));
    const auto byte = byte_of_letter(letter);
    if (byte) {
      out += static_cast<char>(*byte);
    } else {
      out += letter;
    }
    token.remove_prefix(letter.size());
  }
  return out;
}

}  // namespace qaq
