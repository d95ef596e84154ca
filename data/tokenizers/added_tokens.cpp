#include "data/tokenizers/added_tokens.h"

#include <algorithm>
#include <utf8proc.h>

namespace qaq {
namespace {

constexpr char32_t kNone = 0xffffffff;

char32_t code_point(std::string_view bytes) {
  utf8proc_int32_t out = 0;
  const auto n = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                                  static_cast<utf8proc_ssize_t>(bytes.size()), &out);
  return n > 0 ? static_cast<char32_t>(out) : kNone;
}

char32_t first_of(std::string_view text) { return text.empty() ? kNone : code_point(text); }

char32_t last_of(std::string_view text) {
  std::size_t at = text.size();
  while (at > 0 && (static_cast<unsigned char>(text[at - 1]) & 0xc0) == 0x80) --at;
  return at == 0 ? kNone : code_point(text.substr(at - 1));
}

// Unicode's property White_Space.
bool is_space(char32_t c) {
  return (c >= 0x9 && c <= 0xd) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

// Letters, marks, decimal digits and letter numbers, connectors, joiners.
bool is_word(char32_t c) {
  if (c == kNone) return false;
  if (c == 0x200c || c == 0x200d) return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return false;
  }
}

std::size_t bytes_of(char32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

std::size_t spaces_before(std::string_view text) {
  const std::size_t all = text.size();
  for (char32_t c = last_of(text); is_space(c); c = last_of(text)) text.remove_suffix(bytes_of(c));
  return all - text.size();
}

std::size_t spaces_after(std::string_view text) {
  const std::size_t all = text.size();
  for (char32_t c = first_of(text); is_space(c); c = first_of(text))
    text.remove_prefix(bytes_of(c));
  return all - text.size();
}

}  // namespace

AddedTokens::AddedTokens(std::vector<Token> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const Token& token) { return token.text.empty(); });
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const Token& a, const Token& b) { return a.text.size() > b.text.size(); });
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    by_first_byte_[static_cast<unsigned char>(tokens_[i].text[0])].push_back(i);
  }
}

const AddedTokens::Token* AddedTokens::longest_at(std::string_view text) const {
  for (const std::size_t i : by_first_byte_[static_cast<unsigned char>(text[0])]) {
    if (text.starts_with(tokens_[i].text)) return &tokens_[i];
  }
  return nullptr;
}

std::vector<AddedTokens::Piece> AddedTokens::split(std::string_view text, bool special) const {
  std::vector<Piece> pieces;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Token* token = longest_at(text.substr(at));
    if (!token) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = at + token->text.size();
    // A match that is not taken is passed over as a whole: nothing within it is looked for. But
    // spaces that a token takes along may begin another token, as the library has it.
    at = end;
    if (token->special && !special) continue;
    if (token->single_word &&
        (is_word(last_of(text.substr(0, begin))) || is_word(first_of(text.substr(end))))) {
      continue;
    }
    if (token->lstrip) begin = std::max(done, begin - spaces_before(text.substr(0, begin)));
    if (token->rstrip) end += spaces_after(text.substr(end));
    if (begin > done) pieces.push_back({text.substr(done, begin - done)});
    pieces.push_back({text.substr(begin, std::max(begin, end) - begin), token->id});
    done = end;
  }
  if (done < text.size()) pieces.push_back({text.substr(done)});
  return pieces;
}

}  // namespace qaq
