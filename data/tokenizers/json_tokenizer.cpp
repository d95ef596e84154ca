#include "data/tokenizers/json_tokenizer.h"

namespace qaq {

JsonTokenizer::JsonTokenizer(JsonPipeline pipeline)
    : TableTokenizer(std::move(pipeline.table)), pipeline_(std::move(pipeline)) {}

std::vector<std::int32_t> JsonTokenizer::encode(std::string_view text, bool special) const {
  check_utf8(text);
  std::vector<std::int32_t> ids;
  const auto encode_plain = [&](std::string_view plain, bool at_beginning) {
    for (const std::string& word : pipeline_.pre_tokenizer.split(plain, at_beginning)) {
      pipeline_.model.encode(word, ids);
    }
  };
  for (const AddedTokens::Piece& piece : pipeline_.raw.split(text, special)) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
      continue;
    }
    const std::string plain = pipeline_.normalizer.apply(std::string(piece.text));
    const bool at_beginning = piece.text.data() == text.data();
    for (const AddedTokens::Piece& finer : pipeline_.normalized.split(plain, special)) {
      if (finer.id >= 0) {
        ids.push_back(finer.id);
      } else {
        encode_plain(finer.text, at_beginning && finer.text.data() == plain.data());
      }
    }
  }
  return ids;
}

}  // namespace qaq
