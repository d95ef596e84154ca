#include "data/tokenizers/gguf_tokenizer.h"

#include "core/base/text.h"
#include "data/models/gguf_file.h"

namespace qaq {
namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTypes = "tokenizer.ggml.token_type";

// Of a model in several files, the first alone holds the tokenizer.
void check_first_part(const GgufMetadata& metadata) {
  if (metadata.contains(kTokens) || metadata.count_or("split.no", 0) == 0) return;
  std::string first = metadata.file();
  const std::size_t at = first.rfind("-of-");
  if (at != std::string::npos && at >= 5) first.replace(at - 5, 5, "00001");
  metadata.refuse(kTokens, "this part of a split model holds no tokenizer",
                  cat("give the first part: ", first));
}

}  // namespace

std::vector<std::string_view> gguf_tokens(const GgufMetadata& metadata) {
  auto tokens = metadata.texts(kTokens);
  if (tokens.empty()) metadata.refuse(kTokens, "there are no tokens");
  return tokens;
}

std::vector<std::int64_t> gguf_token_types(const GgufMetadata& metadata, std::size_t n_tokens) {
  if (!metadata.contains(kTypes)) return std::vector<std::int64_t>(n_tokens, kNormalToken);
  std::vector<std::int64_t> types = metadata.integers(kTypes);
  if (types.size() != n_tokens) {
    metadata.refuse(kTypes, cat("has ", types.size(), " values for ", n_tokens, " tokens"));
  }
  return types;
}

std::optional<std::int32_t> gguf_beginning(const GgufMetadata& metadata, std::size_t n_tokens,
                                           bool adds) {
  constexpr const char* kId = "tokenizer.ggml.bos_token_id";
  const bool said = metadata.contains("tokenizer.ggml.add_bos_token");
  if (!metadata.flag_or("tokenizer.ggml.add_bos_token", adds)) return std::nullopt;
  if (!said && !metadata.contains(kId)) return std::nullopt;
  const std::int64_t id = metadata.count(kId);
  if (id >= static_cast<std::int64_t>(n_tokens)) {
    metadata.refuse(kId, cat(id, " is out of range: the vocabulary has ", n_tokens, " tokens"));
  }
  return static_cast<std::int32_t>(id);
}

std::shared_ptr<const Tokenizer> make_tokenizer(const GgufFile& gguf) {
  const GgufMetadata& metadata = gguf.metadata();
  check_first_part(metadata);
  const std::string model = metadata.text("tokenizer.ggml.model");
  if (model == "gpt2") return read_gguf_bpe(metadata);
  if (model == "llama") return read_gguf_sentence_piece(metadata);
  metadata.refuse("tokenizer.ggml.model", cat("the tokenizer '", model, "' is not read"),
                  "use a model with a byte-level BPE (gpt2) or SentencePiece (llama) tokenizer");
}

}  // namespace qaq
