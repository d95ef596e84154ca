#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/gguf_file.h"
#include "data/models/model_file.h"
#include "data/tokenizers/chat_template.h"
#include "data/tokenizers/tokenizer_config.h"

namespace qaq {
namespace {

struct Source {
  std::string file;
  std::string place;
  std::string text;
  std::string beginning;
  std::string end;
};

std::string token_text(const GgufMetadata& metadata, const char* key) {
  if (!metadata.contains(key) || !metadata.contains("tokenizer.ggml.tokens")) return {};
  const auto tokens = metadata.texts("tokenizer.ggml.tokens");
  const auto id = static_cast<std::size_t>(metadata.count(key));
  if (id >= tokens.size()) metadata.refuse(key, cat(id, " is out of range"));
  return std::string(tokens[id]);
}

Source source_of(const ModelFile& model) {
  if (model.gguf()) {
    const GgufMetadata& metadata = model.gguf()->metadata();
    return {metadata.file(), "tokenizer.chat_template",
            metadata.text_or("tokenizer.chat_template", ""),
            token_text(metadata, "tokenizer.ggml.bos_token_id"),
            token_text(metadata, "tokenizer.ggml.eos_token_id")};
  }
  TokenizerConfig config = read_tokenizer_config(model.folder());
  return {model.folder(), "chat_template", config.chat_template, config.beginning, config.end};
}

}  // namespace

ChatTemplate chat_template_of(const ModelFile& model) {
  const Source source = source_of(model);
  if (source.text.empty()) {
    refuse_input({.file = source.file,
                  .place = source.place,
                  .what = "the model has no chat template",
                  .cure = "use a model tuned for chats, or write the prompt out without --chat"});
  }
  try {
    return recognise_chat_template(source.text, source.beginning, source.end);
  } catch (const Error& error) {
    refuse_input({.file = source.file,
                  .place = source.place,
                  .what = error.text().what,
                  .cure = error.text().cure});
  }
}

}  // namespace qaq
