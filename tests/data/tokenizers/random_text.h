#pragma once

#include <random>
#include <string>

namespace qaq::test {

/// Up to 60 characters, most of them such that tokenizers stumble over; the same for a seed.
inline std::string random_text(unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const auto utf8 = [](unsigned c) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
    if (c < 0x80) return std::string{static_cast<char>(c)};
    if (c < 0x800) return std::string{static_cast<char>(0xc0 | (c >> 6)), tail(0)};
    if (c < 0x10000) return std::string{static_cast<char>(0xe0 | (c >> 12)), tail(6), tail(0)};
    return std::string{static_cast<char>(0xf0 | (c >> 18)), tail(12), tail(6), tail(0)};
  };
  // Blocks with letters, marks, digits, spaces, signs, Hangul, emoji, and everything.
  constexpr unsigned kBlocks[][2] = {
      {0, 0x20},        {0x20, 0x60},     {0x61, 0x1a},       {0x80, 0x100},   {0x300, 0x70},
      {0x1100, 0x100},  {0x2000, 0x70},   {0x2581, 1},        {0x3000, 0x100}, {0xac00, 11172},
      {0x1f300, 0x400}, {0xe000, 0x2000}, {0x10000, 0x100000}};
  std::string text;
  for (unsigned n = below(60); n > 0; --n) {
    const auto& block = kBlocks[below(static_cast<unsigned>(std::size(kBlocks)))];
    const std::string character = utf8(block[0] + below(block[1]));
    for (unsigned times = below(4) == 0 ? 1 + below(5) : 1; times > 0; --times) text += character;
    if (below(6) == 0) text += ' ';
  }
  return text;
}

}  // namespace qaq::test
