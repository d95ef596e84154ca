#pragma once

#include "data/tokenizers/added_tokens.h"
#include "data/tokenizers/bpe_model.h"
#include "data/tokenizers/normalizer.h"
#include "data/tokenizers/pre_tokenizer.h"
#include "data/tokenizers/token_table.h"

namespace qaq {

/// What a tokenizer.json says, step by step in the order of encoding.
struct JsonPipeline {
  AddedTokens raw;         ///< looked for in the text as it is
  Normalizer normalizer;   ///< for what lies between them
  AddedTokens normalized;  ///< looked for, normalized themselves, in the normalized text
  PreTokenizer pre_tokenizer;
  BpeModel model;
  TokenTable table;
};

/// The tokenizer of a Hugging Face tokenizer.json with a BPE model: the ids of the library
/// `tokenizers`, without those that its post-processor adds.
class JsonTokenizer final : public TableTokenizer {
 public:
  explicit JsonTokenizer(JsonPipeline pipeline);

  /// Throws Error{input} where `text` is not valid UTF-8.
  std::vector<std::int32_t> encode(std::string_view text, bool special) const override;

 private:
  JsonPipeline pipeline_;  ///< its table is empty
};

/// Reads a folder's tokenizer.json (and tokenizer_config.json beside it, where there is one). A
/// step that is not known is refused by name, since leaving it out gives wrong tokens. Throws
/// Error{input} with the place in the file.
std::shared_ptr<const Tokenizer> read_json_tokenizer(const std::string& folder);

}  // namespace qaq
