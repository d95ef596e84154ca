#pragma once

#include <memory>

#include "data/tokenizers/sentence_piece_model.h"
#include "data/tokenizers/special_tokens.h"
#include "data/tokenizers/token_table.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace qaq {

/// What a SentencePiece tokenizer is made of.
struct SentencePieceParts {
  struct Added {
    std::string text;
    bool special = true;
  };

  SentencePieceModel model;
  std::vector<Added> added;  ///< tokens after the model's pieces, in order
  std::string file;          ///< for messages
  std::optional<std::int32_t> beginning;
  /// User-defined pieces are cut out of the text before the library sees it, as llama.cpp does;
  /// else the library finds them, which puts no space in front of what follows.
  bool cut_user_defined = false;
};

/// SentencePiece BPE by the library of that name. Special pieces are cut out of the text first,
/// which the library does not do, and each stretch between them is a text of its own, with a space
/// in front.
class SentencePieceTokenizer final : public TableTokenizer {
 public:
  /// Throws Error{input} where the library does not take the model.
  explicit SentencePieceTokenizer(const SentencePieceParts& parts);
  ~SentencePieceTokenizer() override;

  /// Throws Error{input} where `text` is not valid UTF-8.
  std::vector<std::int32_t> encode(std::string_view text, bool special) const override;

 private:
  SpecialTokens special_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
};

/// Reads a folder's tokenizer.model, and tokenizer_config.json and added_tokens.json beside it,
/// where they are. Throws Error{input} with the place in the file.
std::shared_ptr<const Tokenizer> read_sentence_piece_tokenizer(const std::string& folder);

}  // namespace qaq
