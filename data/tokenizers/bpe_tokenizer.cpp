#include "data/tokenizers/bpe_tokenizer.h"

namespace qaq {

std::vector<std::int32_t> BpeTokenizer::encode(std::string_view text, bool special) const {
  check_utf8(text);
  std::vector<std::int32_t> ids;
  for (const SpecialTokens::Piece& piece : special_.split(text, special)) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
      continue;
    }
    for (const std::string& word : pre_.split(piece.text)) model_.encode(word, ids);
  }
  return ids;
}

}  // namespace qaq
