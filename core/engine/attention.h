#pragma once

#include <cstdint>

#include "core/engine/kv_cache.h"
#include "core/model/model_spec.h"

namespace qaq {

/// One layer's attention over the cache: softmax(q k^T / sqrt(D)) v, causal, within a window.
struct AttentionCall {
  const KvCache* cache = nullptr;
  const ModelShape* shape = nullptr;
  std::int64_t layer = 0;
  std::int64_t window = 0;          ///< keys that a query sees, itself among them; 0: all
  std::int64_t top_k = 0;           ///< of these, that it attends to; 0: all (sparse_softmax_row())
  std::int64_t first_position = 0;  ///< of row 0
  std::int64_t n_rows = 0;
  const float* query = nullptr;  ///< (n_heads, n_rows, D), after RoPE
  float* out = nullptr;          ///< (n_rows, n_heads * D)
};

/// Rows of a head whose scores are made, normalized and mixed together, counted from a part's
/// first: two tiles of multiply_panel on the widest machines, and at 4,096 keys 400 kB, which a
/// core's L2 cache holds.
constexpr std::int64_t kAttentionRows = 24;

/// Heads [first_head, first_head + n_heads) and rows [first_row, first_row + n_rows) of a call.
struct AttentionPart {
  std::int64_t first_head = 0;
  std::int64_t n_heads = 0;
  std::int64_t first_row = 0;
  std::int64_t n_rows = 0;
};

/// Computes a part on several threads. `scores`, where it is not null, gets every row of the part
/// whole, (n_heads, n_rows, n_keys) with n_keys = first_position + n_rows of the call, zero outside
/// what a row sees; else rows live in a core's cache, and nothing of the size of T x T is made.
void attend(const AttentionCall& call, const AttentionPart& part, float* scores);

}  // namespace qaq
