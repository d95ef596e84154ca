#include "app/cli/prompt.h"

#include "app/cli/inputs.h"
#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq::cli {

std::string readable_text(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  std::string text = tokenizer.decode(ids);
  if (!invalid_utf8_offset(text)) return text;
  text.clear();
  for (const std::int32_t id : ids) text += tokenizer.piece(id);
  return text;
}

Prompt read_prompt(const PromptSource& source, const Tokenizer& tokenizer, const ModelShape& shape,
                   std::int64_t n_generate) {
  Prompt prompt;
  std::string name = "--prompt";
  if (!source.tokens_file.empty()) {
    name = source.tokens_file;
    prompt.ids = read_tokens_file(name, shape.vocab_size);
    prompt.text = readable_text(tokenizer, prompt.ids);
  } else {
    if (!source.file.empty()) name = source.file;
    prompt.text = source.file.empty() ? checked_text(name, source.text) : read_text_file(name);
    if (const auto beginning = tokenizer.beginning_id()) prompt.ids.push_back(*beginning);
    const auto ids = tokenizer.encode(prompt.text, !source.no_special);
    prompt.ids.insert(prompt.ids.end(), ids.begin(), ids.end());
  }
  if (prompt.ids.empty()) {
    refuse_input({.file = name,
                  .what = "the prompt is empty: no token to run",
                  .cure = "give at least one character"});
  }
  const auto n = static_cast<std::int64_t>(prompt.ids.size()) + n_generate;
  if (n > shape.context_length) {
    refuse_input({.file = name,
                  .what = cat(n, " tokens, but the model's context is ", shape.context_length),
                  .cure = "give a shorter prompt or a smaller --generate"});
  }
  return prompt;
}

}  // namespace qaq::cli
