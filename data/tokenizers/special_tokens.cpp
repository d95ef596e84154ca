#include "data/tokenizers/special_tokens.h"

#include <algorithm>

namespace qaq {

SpecialTokens::SpecialTokens(std::vector<Token> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const Token& token) { return token.text.empty(); });
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const Token& a, const Token& b) { return a.text.size() > b.text.size(); });
}

std::vector<SpecialTokens::Piece> SpecialTokens::split(std::string_view text, bool control) const {
  std::vector<Piece> pieces;
  if (!text.empty()) pieces.push_back({text});
  for (const Token& token : tokens_) {
    if (token.control && !control) continue;
    // Most tokens do not occur at all.
    if (text.find(token.text) == std::string_view::npos) continue;
    std::vector<Piece> finer;
    for (const Piece& piece : pieces) {
      if (piece.id >= 0) {
        finer.push_back(piece);
        continue;
      }
      std::string_view rest = piece.text;
      for (std::size_t at = rest.find(token.text); at != std::string_view::npos;
           at = rest.find(token.text)) {
        if (at > 0) finer.push_back({rest.substr(0, at)});
        finer.push_back({rest.substr(at, token.text.size()), token.id});
        rest.remove_prefix(at + token.text.size());
      }
      if (!rest.empty()) finer.push_back({rest});
    }
    pieces = std::move(finer);
  }
  return pieces;
}

}  // namespace qaq
