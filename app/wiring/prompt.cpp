#include "app/wiring/prompt.h"

#include "app/wiring/inputs.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/tokenizers/chat_template.h"

namespace qaq {

std::string readable_text(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  std::string text = tokenizer.decode(ids);
  if (!invalid_utf8_offset(text)) return text;
  text.clear();
  for (const std::int32_t id : ids) text += tokenizer.piece(id);
  return text;
}

namespace {

// The flag or file that a refusal of the prompt names.
std::string name_of(const PromptSource& source) {
  if (!source.tokens_file.empty()) return source.tokens_file;
  return source.file.empty() ? "--prompt" : source.file;
}

Prompt prompt_of_tokens(const PromptSource& source, const Tokenizer& tokenizer,
                        std::int64_t vocab_size) {
  auto ids = read_tokens_file(source.tokens_file, vocab_size);
  std::string text = readable_text(tokenizer, ids);
  return {std::move(ids), std::move(text)};
}

std::string chat_text(const PromptSource& source, const std::string& message,
                      const ModelFile& model) {
  std::vector<ChatMessage> messages;
  if (!source.system.empty()) {
    messages.push_back({"system", checked_text("--system", source.system)});
  }
  messages.push_back({"user", message});
  return render_chat(chat_template_of(model), messages);
}

Prompt prompt_of_text(const PromptSource& source, const ModelFile& model,
                      const Tokenizer& tokenizer) {
  std::string text =
      source.file.empty() ? checked_text("--prompt", source.text) : read_text_file(source.file);
  if (source.chat) text = chat_text(source, text, model);
  auto ids = tokenizer.encode(text, !source.no_special);
  const auto beginning = tokenizer.beginning_id();
  const bool has_one = begins_with_beginning(tokenizer, ids);
  std::string warning;
  if (beginning && has_one && !source.chat) {
    warning = cat(name_of(source), " begins with ", tokenizer.piece(*beginning),
                  ", which is added by itself: it stands there twice; leave it out");
  }
  if (beginning && !(has_one && source.chat)) ids.insert(ids.begin(), *beginning);
  return {std::move(ids), std::move(text), std::move(warning)};
}

}  // namespace

Prompt read_prompt(const PromptSource& source, const ModelFile& model, const Tokenizer& tokenizer,
                   std::int64_t n_generate) {
  const ModelShape& shape = model.spec().shape;
  Prompt prompt = source.tokens_file.empty()
                      ? prompt_of_text(source, model, tokenizer)
                      : prompt_of_tokens(source, tokenizer, shape.vocab_size);
  if (prompt.ids.empty()) {
    refuse_input({.file = name_of(source),
                  .what = "the prompt is empty: no token to run",
                  .cure = "give at least one character"});
  }
  const auto n = std::ssize(prompt.ids) + n_generate;
  if (n > shape.context_length) {
    refuse_input({.file = name_of(source),
                  .what = cat(n, " tokens, but the model's context is ", shape.context_length),
                  .cure = "give a shorter prompt or a smaller --generate"});
  }
  return prompt;
}

}  // namespace qaq
