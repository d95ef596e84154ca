#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizers/pre_tokenizer.h"

namespace qaq {

/// A pre-tokenizer as GGUF knows it, by name (`tokenizer.ggml.pre`), and what else hangs on the
/// name alone.
struct GgufPreTokenizer {
  PreTokenizer split;
  bool ignore_merges = false;   ///< a word that is a token is not built from merges
  bool adds_beginning = false;  ///< where the metadata do not say
};

/// Names that find_gguf_pre_tokenizer knows, in order.
std::vector<std::string> gguf_pre_tokenizer_names();
/// Nothing where the name is unknown: it is never guessed.
std::optional<GgufPreTokenizer> find_gguf_pre_tokenizer(std::string_view name);

/// The expression of GPT-2, in the language of pcre2_pattern.
extern const char* const kGpt2Pattern;

}  // namespace qaq
