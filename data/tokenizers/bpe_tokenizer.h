#pragma once

#include "data/tokenizers/bpe_model.h"
#include "data/tokenizers/pre_tokenizer.h"
#include "data/tokenizers/special_tokens.h"
#include "data/tokenizers/token_table.h"

namespace qaq {

/// Byte-level byte-pair encoding (GPT-2's) as llama.cpp does it: text is split into special tokens
/// and words, and the bytes of each word are merged by rank.
class BpeTokenizer final : public TableTokenizer {
 public:
  BpeTokenizer(TokenTable table, SpecialTokens special, PreTokenizer pre, BpeModel model)
      : TableTokenizer(std::move(table)),
        special_(std::move(special)),
        pre_(std::move(pre)),
        model_(std::move(model)) {}

  /// Throws Error{input} where `text` is not valid UTF-8.
  std::vector<std::int32_t> encode(std::string_view text, bool special) const override;

 private:
  SpecialTokens special_;
  PreTokenizer pre_;
  BpeModel model_;
};

}  // namespace qaq
