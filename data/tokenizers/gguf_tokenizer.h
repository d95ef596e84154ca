#pragma once

#include <memory>

#include "data/models/gguf_metadata.h"
#include "data/tokenizers/tokenizer.h"

namespace qaq {

/// Tokenizers from GGUF metadata, by `tokenizer.ggml.model`. All throw Error{input} naming the key.

/// "gpt2": byte-level BPE with the pre-tokenizer that `tokenizer.ggml.pre` names.
std::shared_ptr<const Tokenizer> read_gguf_bpe(const GgufMetadata& metadata);
/// "llama": SentencePiece BPE by scores.
std::shared_ptr<const Tokenizer> read_gguf_sentence_piece(const GgufMetadata& metadata);

/// Texts of the tokens by id; there is at least one.
std::vector<std::string_view> gguf_tokens(const GgufMetadata& metadata);
/// Values of tokenizer.ggml.token_type; all normal where the key is missing.
std::vector<std::int64_t> gguf_token_types(const GgufMetadata& metadata, std::size_t n_tokens);
/// The beginning token, if one is to be added; `adds`: what holds where the metadata do not say.
std::optional<std::int32_t> gguf_beginning(const GgufMetadata& metadata, std::size_t n_tokens,
                                           bool adds);

/// Values of tokenizer.ggml.token_type, the same as SentencePiece's.
enum GgufTokenType : std::int64_t {
  kNormalToken = 1,
  kUnknownToken = 2,
  kControlToken = 3,
  kUserDefinedToken = 4,
  kUnusedToken = 5,
  kByteToken = 6,
};

}  // namespace qaq
