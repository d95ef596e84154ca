#pragma once

#include <cstdint>

#include "core/model/model_spec.h"
#include "core/tensor/page_buffer.h"
#include "core/tensor/panel.h"

namespace qaq {

/// Keys and values of all layers in float32, laid out for attention: keys as panels of 32 tokens
/// (head_dim, 32), values as rows of head_dim numbers padded to whole panels. What was not appended
/// yet is zero.
class KvCache {
 public:
  KvCache(const ModelShape& shape, std::int64_t max_tokens);

  /// key and value (head_dim) of one token and KV head; of the one that is null, what is there
  /// stays.
  void append(std::int64_t layer, std::int64_t head, std::int64_t position, const float* key,
              const float* value);

  /// Keys of tokens [32 i, 32 i + 32), (head_dim, 32).
  const float* key_panel(std::int64_t layer, std::int64_t head, std::int64_t i) const {
    return keys_.data() + row_of(layer, head) * head_dim_ + i * kPanelColumns * head_dim_;
  }
  /// Values from a token on; rows are value_stride() apart.
  const float* values(std::int64_t layer, std::int64_t head, std::int64_t position) const {
    return values_.data() + (row_of(layer, head) + position) * value_stride_;
  }
  std::int64_t value_stride() const { return value_stride_; }
  std::int64_t bytes() const { return 4 * (keys_.size() + values_.size()); }

  /// What a cache of that many tokens takes.
  static std::int64_t bytes_for(const ModelShape& shape, std::int64_t max_tokens);

 private:
  std::int64_t row_of(std::int64_t layer, std::int64_t head) const {
    return (layer * n_heads_ + head) * n_tokens_;
  }

  std::int64_t n_heads_, head_dim_;
  std::int64_t n_tokens_;      ///< max_tokens, in whole panels
  std::int64_t value_stride_;  ///< head_dim, in whole panels
  PageBuffer keys_;
  PageBuffer values_;
};

}  // namespace qaq
