#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/tokenizers/gguf_tokenizer.h"
#include "data/tokenizers/sentence_piece_tokenizer.h"

namespace qaq {
namespace {

constexpr const char* kScores = "tokenizer.ggml.scores";

// Pieces merge in the order of their scores, the highest first.
std::vector<float> scores_of(const GgufMetadata& metadata, std::size_t n_tokens) {
  const GgufValue* value = metadata.find(kScores);
  if (!value) metadata.refuse(kScores, "the key is missing");
  const auto* array = std::get_if<GgufArray>(&value->data);
  if (!array || array->element != GgufType::f32) metadata.refuse(kScores, "is no array of f32");
  if (array->count != n_tokens) {
    metadata.refuse(kScores, cat("has ", array->count, " values for ", n_tokens, " tokens"));
  }
  std::vector<float> scores;
  for (std::size_t i = 0; i < n_tokens; ++i) {
    const GgufValue each = gguf_scalar(GgufType::f32, array->bytes.data() + 4 * i);
    scores.push_back(static_cast<float>(std::get<double>(each.data)));
    if (!std::isfinite(scores.back())) {
      metadata.refuse(kScores, cat("the score of token ", i, " is not finite"));
    }
  }
  return scores;
}

}  // namespace

std::shared_ptr<const Tokenizer> read_gguf_sentence_piece(const GgufMetadata& metadata) {
  const auto tokens = gguf_tokens(metadata);
  const auto types = gguf_token_types(metadata, tokens.size());
  const auto scores = scores_of(metadata, tokens.size());
  SentencePieceParts parts;
  parts.file = metadata.file();
  parts.cut_user_defined = true;
  parts.model.add_dummy_prefix = metadata.flag_or("tokenizer.ggml.add_space_prefix", true);
  parts.model.remove_extra_whitespaces =
      metadata.flag_or("tokenizer.ggml.remove_extra_whitespaces", false);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].empty() || invalid_utf8_offset(tokens[i])) {
      metadata.refuse("tokenizer.ggml.tokens", cat("token ", i, " is no UTF-8 text"));
    }
    if (types[i] < kNormalToken || types[i] > kByteToken) {
      metadata.refuse("tokenizer.ggml.token_type",
                      cat("token ", i, " has the unknown type ", types[i]));
    }
    parts.model.pieces.push_back(
        {std::string(tokens[i]), scores[i], static_cast<SentencePieceModel::Type>(types[i])});
    parts.model.byte_fallback |= types[i] == kByteToken;
  }
  parts.beginning = gguf_beginning(metadata, tokens.size(), true);
  return std::make_shared<SentencePieceTokenizer>(parts);
}

}  // namespace qaq
