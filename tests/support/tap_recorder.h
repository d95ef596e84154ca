#pragma once

#include <algorithm>
#include <vector>

#include "core/engine/tap.h"
#include "core/model/model_spec.h"
#include "core/tensor/nd_array.h"

namespace qaq::test {

/// A TapSink that keeps everything of a run of `n_tokens` tokens, prefilled or decoded.
class TapRecorder : public TapSink {
 public:
  TapRecorder(const ModelShape& s, std::int64_t n_tokens)
      : query({s.n_layers, s.n_heads, n_tokens, s.head_dim}),
        key({s.n_layers, s.n_kv_heads, n_tokens, s.head_dim}),
        value({s.n_layers, s.n_kv_heads, n_tokens, s.head_dim}),
        attention({s.n_layers, s.n_heads, n_tokens, n_tokens}),
        logits({n_tokens, s.vocab_size}) {}

  bool wants(TapKind, std::int64_t, std::int64_t, std::int64_t) const override { return true; }

  void put(const TapBlock& block) override {
    const auto numbers = block.floats();
    order.push_back(block);
    order.back().bytes = {};
    order.back().owner = nullptr;
    for (std::int64_t head = 0; head < block.n_heads; ++head) {
      for (std::int64_t row = 0; row < block.n_rows; ++row) {
        const float* from = numbers.data() + (head * block.n_rows + row) * block.n_cols;
        std::copy_n(from, block.n_cols,
                    target(block, block.first_head + head, block.first_row + row));
      }
    }
  }

  NdArray<float, 4> query, key, value;  ///< (n_layers, heads, T, D)
  NdArray<float, 4> attention;          ///< (n_layers, n_heads, T, T)
  NdArray<float, 2> logits;             ///< (T, vocab_size)
  std::vector<TapBlock> order;          ///< the blocks as they came, without their bytes

 private:
  float* target(const TapBlock& block, std::int64_t head, std::int64_t row) {
    switch (block.what) {
      case TapKind::query:
        return query.sub(block.layer, head, row).data();
      case TapKind::key:
        return key.sub(block.layer, head, row).data();
      case TapKind::value:
        return value.sub(block.layer, head, row).data();
      case TapKind::attention:
        return attention.sub(block.layer, head, row).data();
      case TapKind::attention_stats:  // never asked for
      case TapKind::logits_top:
        break;
      case TapKind::logits:
        return logits.sub(row).data();
    }
    return nullptr;
  }
};

}  // namespace qaq::test
