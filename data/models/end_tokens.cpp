#include "data/models/end_tokens.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"

namespace qaq {
namespace {

constexpr std::int64_t kControlToken = 3;  // in tokenizer.ggml.token_type

constexpr std::array<std::string_view, 6> kEndTexts{
    "<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "</s>"};

}  // namespace

std::vector<std::int32_t> end_token_ids(const GgufMetadata& metadata, std::int64_t vocab_size) {
  std::vector<std::int32_t> ids;
  for (const char* name : {"eos_token_id", "eot_token_id", "eom_token_id"}) {
    const std::string key = cat("tokenizer.ggml.", name);
    if (!metadata.contains(key)) continue;
    const std::int64_t id = metadata.count(key);
    if (id >= vocab_size) {
      metadata.refuse(key, cat(id, " is out of range: the vocabulary has ", vocab_size, " tokens"));
    }
    ids.push_back(static_cast<std::int32_t>(id));
  }
  if (metadata.contains("tokenizer.ggml.tokens") &&
      metadata.contains("tokenizer.ggml.token_type")) {
    const auto texts = metadata.texts("tokenizer.ggml.tokens");
    const auto types = metadata.integers("tokenizer.ggml.token_type");
    for (std::size_t i = 0; i < std::min(texts.size(), types.size()); ++i) {
      if (types[i] != kControlToken) continue;
      if (std::find(kEndTexts.begin(), kEndTexts.end(), texts[i]) != kEndTexts.end()) {
        ids.push_back(static_cast<std::int32_t>(i));
      }
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace qaq
