#include "core/engine/kv_cache.h"

#include <algorithm>

namespace qaq {

KvCache::KvCache(const ModelShape& shape, std::int64_t max_tokens)
    : n_heads_(shape.n_kv_heads),
      head_dim_(shape.head_dim),
      n_tokens_(whole_panels(max_tokens)),
      value_stride_(whole_panels(shape.head_dim)),
      keys_(shape.n_layers * n_heads_ * n_tokens_ * head_dim_),
      values_(shape.n_layers * n_heads_ * n_tokens_ * value_stride_) {}

void KvCache::append(std::int64_t layer, std::int64_t head, std::int64_t position, const float* key,
                     const float* value) {
  if (key) {
    float* panel = keys_.data() + row_of(layer, head) * head_dim_ +
                   position / kPanelColumns * kPanelColumns * head_dim_ + position % kPanelColumns;
    for (std::int64_t i = 0; i < head_dim_; ++i) panel[i * kPanelColumns] = key[i];
  }
  if (!value) return;
  std::copy_n(value, head_dim_, values_.data() + (row_of(layer, head) + position) * value_stride_);
}

std::int64_t KvCache::bytes_for(const ModelShape& shape, std::int64_t max_tokens) {
  return 4 * shape.n_layers * shape.n_kv_heads * whole_panels(max_tokens) *
         (shape.head_dim + whole_panels(shape.head_dim));
}

}  // namespace qaq
