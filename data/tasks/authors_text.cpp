#include "data/tasks/authors_text.h"

#include <algorithm>
#include <array>
#include <utf8proc.h>

#include "core/base/text.h"
#include "data/tokenizers/regex.h"

namespace qaq {
namespace {

// Characters of valid UTF-8 text.
std::vector<utf8proc_int32_t> characters_of(std::string_view text) {
  std::vector<utf8proc_int32_t> out;
  while (!text.empty()) {
    utf8proc_int32_t character = 0;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                         static_cast<utf8proc_ssize_t>(text.size()), &character);
    if (length <= 0) break;
    out.push_back(character);
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return out;
}

std::string text_of(const std::vector<utf8proc_int32_t>& characters) {
  std::string out;
  std::array<utf8proc_uint8_t, 4> bytes{};
  for (const utf8proc_int32_t character : characters) {
    const auto length = utf8proc_encode_char(character, bytes.data());
    out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
  }
  return out;
}

// What Python's str.strip() takes off.
bool is_space(utf8proc_int32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
         c == 0x205f || c == 0x3000;
}

std::string stripped(std::string_view text) {
  auto characters = characters_of(text);
  const auto last = std::find_if_not(characters.rbegin(), characters.rend(), is_space);
  characters.erase(last.base(), characters.end());
  characters.erase(characters.begin(),
                   std::find_if_not(characters.begin(), characters.end(), is_space));
  return text_of(characters);
}

std::string capitalized(std::string_view text) {
  auto characters = characters_of(text);
  for (std::size_t i = 0; i < characters.size(); ++i) {
    characters[i] = i == 0 ? utf8proc_totitle(characters[i]) : utf8proc_tolower(characters[i]);
  }
  return text_of(characters);
}

// One pass from left to right, as Python's str.replace.
std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from)) {
    out.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return out.append(text);
}

std::string without(std::string_view text, const Regex& pattern) {
  std::string out;
  std::size_t kept_from = 0;
  pattern.for_each_match(text, [&](std::size_t begin, std::size_t end) {
    out.append(text.substr(kept_from, begin - kept_from));
    kept_from = end;
  });
  return out.append(text.substr(kept_from));
}

}  // namespace

std::string hellaswag_text(std::string_view text) {
  static const Regex kBrackets(R"(\[.*?\])");
  return replaced(without(replaced(stripped(text), " [title]", ". "), kBrackets), "  ", " ");
}

std::string hellaswag_question(std::string_view activity_label, std::string_view ctx_a,
                               std::string_view ctx_b) {
  return hellaswag_text(cat(activity_label, ": ", ctx_a, " ", capitalized(ctx_b)));
}

std::string question_and_answer(std::string_view text) {
  return cat("Question: ", text, "\nAnswer:");
}

std::vector<std::string> mathqa_choices(std::string_view options) {
  // \Z is what $ means in Python: the end, or before a line's end that is the last character.
  static const Regex kOption(R"([abcd] \) .*?, |e \) .*?\Z)");
  std::vector<std::string> out;
  kOption.for_each_match(options, [&](std::size_t begin, std::size_t end) {
    std::string_view choice = options.substr(begin, end - begin);
    choice.remove_prefix(4);
    choice = choice.substr(0, choice.find_last_not_of(" ,") + 1);
    out.emplace_back(choice);
  });
  return out;
}

}  // namespace qaq
