#include "core/analysis/token_units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <string_view>

#include "core/base/text.h"

namespace qaq {
namespace {

const std::string& text_of(const CaptureInfo& info, std::int64_t token) {
  return info.token_text[static_cast<std::size_t>(token)];
}

bool breaks_line(const std::string& text) { return text.find('\n') != std::string::npos; }

bool begins_word(const std::string& text) {
  if (text.empty()) return false;
  const auto first = static_cast<unsigned char>(text.front());
  // An apostrophe and a hyphen stay with their word.
  return std::isspace(first) != 0 ||
         (std::ispunct(first) != 0 && first != '\'' && first != '-' && first != '_');
}

bool ends_sentence(const std::string& text) {
  const std::size_t last = text.find_last_not_of(" \"')]");
  return last != std::string::npos && (text[last] == '.' || text[last] == '!' || text[last] == '?');
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string hex_of(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    std::array<char, 4> hex{};
    std::snprintf(hex.data(), hex.size(), "%02X", static_cast<unsigned char>(c));
    out += (out.empty() ? "" : " ") + std::string(hex.data());
  }
  return out;
}

std::string display_of(const std::string& bytes, std::string text) {
  if (invalid_utf8_offset(bytes)) return hex_of(bytes);
  if (text.find_first_not_of(' ') == std::string::npos) {
    replace_all(text, " ", "␣");
    return text.empty() ? hex_of(bytes) : text;
  }
  if (text.front() == ' ') text.erase(0, 1);
  replace_all(text, "\r", "");
  replace_all(text, "\n", "⏎");
  replace_all(text, "\t", "→");
  // Other control characters have no shape.
  const bool shapeless = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
  });
  return shapeless || text.empty() ? hex_of(bytes) : text;
}

}  // namespace

bool is_special(const CaptureInfo& info, std::int64_t token) {
  return std::ranges::find(info.special_ids, info.token_ids[static_cast<std::size_t>(token)]) !=
         info.special_ids.end();
}

std::vector<TokenRange> token_units(const CaptureInfo& info, Granularity granularity) {
  std::vector<TokenRange> units;
  bool before_special = true;
  for (std::int32_t token = 0; token < info.n_tokens; ++token) {
    const bool special = is_special(info, token);
    bool begins = granularity == Granularity::token || special || before_special;
    if (!begins) {
      const std::string& before = text_of(info, token - 1);
      switch (granularity) {
        case Granularity::token:
          break;
        case Granularity::word:
          begins = begins_word(text_of(info, token)) || breaks_line(before);
          break;
        case Granularity::sentence:
          begins = ends_sentence(before) || breaks_line(before);
          break;
        case Granularity::paragraph:
          // A second break belongs to the first.
          begins = breaks_line(before) && !breaks_line(text_of(info, token));
          break;
      }
    }
    if (begins) {
      units.push_back({token, token});
    } else {
      units.back().last = token;
    }
    before_special = special;
  }
  return units;
}

std::string token_hex(const CaptureInfo& info, std::int64_t token) {
  return hex_of(info.token_bytes[static_cast<std::size_t>(token)]);
}

std::string token_display(const CaptureInfo& info, std::int64_t token) {
  return display_of(info.token_bytes[static_cast<std::size_t>(token)], text_of(info, token));
}

std::string token_display(const std::string& bytes) { return display_of(bytes, bytes); }

}  // namespace qaq
