#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/model_spec.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"

namespace qaq {

/// Where a prompt comes from: one of text, file and tokens_file.
struct PromptSource {
  std::string text;
  std::string file;
  std::string tokens_file;
  bool no_special = false;
  bool chat = false;   ///< the text is a user's message, set into the model's chat template
  std::string system;  ///< the system's message before it
};

struct Prompt {
  std::vector<std::int32_t> ids;
  std::string text;
  std::string warning{};  ///< what the user may not have meant; empty: nothing
};

/// Reads a prompt; text gets the beginning token where the model's files ask for one. Throws
/// Error{input} where it is empty, no UTF-8, outside the vocabulary, does not leave room for
/// `n_generate` tokens in the model's context, or is a chat and the model's template is not known.
Prompt read_prompt(const PromptSource& source, const ModelFile& model, const Tokenizer& tokenizer,
                   std::int64_t n_generate);

/// The ids as text; where their bytes are no valid UTF-8, as the display forms of the tokens.
std::string readable_text(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids);

}  // namespace qaq
