#include "core/evaluate/retained_prompt.h"

#include <algorithm>

namespace qaq {

RetainedPrompt::RetainedPrompt(const Source& source)
    : source_(source), n_rows_(prompt_rows(source.retention, source.n_prompt)) {
  const CacheShape& shape = source.layers.shape;
  rows_ = NdArray<float, 3>({source.n_heads, n_rows_, source.n_prompt});
  out_.kept = NdArray<std::uint8_t, 3>({shape.n_layers, shape.n_kv_heads, source.n_prompt},
                                       std::uint8_t{1});
}

void RetainedPrompt::push(std::int64_t layer, std::int64_t position,
                           const NdView<const float, 3>& row) {
  for (std::int64_t head = 0; head < source_.n_heads && position >= first_row(); ++head) {
    std::copy_n(row.sub(head).data(), source_.n_prompt,
                rows_.sub(head, position - first_row()).data());
  }
  if (position + 1 < source_.n_prompt) return;
  const RetentionNeeds needs = source_.retention.retention_needs();
  const auto i = static_cast<std::size_t>(layer);
  PromptNumbers numbers{.scores = rows_.view(), .rope = source_.rope};
  if (needs.query) numbers.query = source_.layers.query[i];
  if (needs.key) numbers.key = source_.layers.key[i];
  if (needs.value) numbers.value = source_.layers.value[i];
  CacheShape shape = source_.layers.shape;
  shape.n_tokens = source_.n_prompt;
  const PromptView view{.layer = layer, .shape = shape, .n_heads = source_.n_heads};
  out_.layers.push_back(keep_layer(source_.retention, view, numbers, out_.kept.sub(layer)));
}

}  // namespace qaq
