#include "core/engine/memory_plan.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/engine/forward.h"
#include "core/engine/kv_cache.h"

namespace qaq {
namespace {

constexpr std::int64_t kFloat = 4;
// Blocks of taps that may be held at a time: one is made, one waits, one is written.
constexpr std::int64_t kHeldBlocks = 3;

}  // namespace

std::int64_t MemoryPlan::total() const {
  std::int64_t sum = 0;
  for (const MemoryItem& item : items) sum += item.bytes;
  return sum;
}

std::int64_t logits_block_rows(const ModelShape& shape) {
  return std::clamp<std::int64_t>(kTapBlockBytes / (kFloat * shape.vocab_size), 1, 256);
}

AttentionBlock attention_block(const ModelShape& shape, std::int64_t n_rows, std::int64_t n_keys) {
  const std::int64_t row_bytes = kFloat * n_keys;
  const std::int64_t n_heads = kTapBlockBytes / std::max<std::int64_t>(1, row_bytes * n_rows);
  if (n_heads >= 1) return {std::min(n_heads, shape.n_heads), n_rows};
  return {1, std::clamp<std::int64_t>(kTapBlockBytes / row_bytes, 1, n_rows)};
}

std::int64_t tap_pool_bytes(const ModelShape& shape, const EngineLimits& limits) {
  const std::int64_t heads = shape.n_heads + 2 * shape.n_kv_heads;
  const AttentionBlock block = attention_block(shape, limits.max_batch, limits.max_tokens);
  return kHeldBlocks * kFloat *
         (heads * shape.head_dim * limits.max_batch +
          std::max(block.n_heads * block.n_rows * limits.max_tokens,
                   std::min(logits_block_rows(shape), limits.max_batch) * shape.vocab_size));
}

std::int64_t weight_bytes(const ModelSource& model, const EngineLimits& limits) {
  const ModelSpec& spec = model.spec();
  std::int64_t sum = 0;
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    if (!has_weight(spec, role) || (role == WeightRole::head && spec.tied_embeddings)) continue;
    for (std::int64_t layer = 0; layer < (is_layer_role(role) ? spec.shape.n_layers : 1); ++layer) {
      const WeightView weight = model.weight(role, layer);
      sum += limits.dequantize_weights ? kFloat * weight.rows * weight.cols
                                       : static_cast<std::int64_t>(weight.bytes.size());
    }
  }
  return sum;
}

MemoryPlan plan_memory(const ModelSpec& spec, const EngineLimits& limits,
                       std::int64_t weight_bytes) {
  const ModelShape& s = spec.shape;
  const std::int64_t query_size = s.n_heads * s.head_dim, kv_size = s.n_kv_heads * s.head_dim;
  const std::int64_t run_row = s.hidden_size + query_size;
  const std::int64_t n_feed_forward = spec.activation == Activation::swiglu ? 2 : 1;
  const std::int64_t chunk_row =
      s.hidden_size + query_size + 2 * kv_size + n_feed_forward * s.intermediate_size;
  return {{
      {"weights", weight_bytes},
      {"cache", KvCache::bytes_for(s, limits.max_tokens)},
      {"activations",
       kFloat * (run_row * limits.max_batch + chunk_row * std::min(limits.max_batch, kChunkRows))},
      {"taps", tap_pool_bytes(s, limits)},
      {"logits", kFloat * s.vocab_size},
      {"rope", kFloat * spec.rope.n_rotary_dim * limits.max_batch},
  }};
}

void require_memory(const MemoryPlan& plan, const EngineLimits& limits,
                    std::int64_t available_bytes) {
  if (plan.total() <= available_bytes) return;
  std::string parts;
  for (const MemoryItem& item : plan.items) {
    parts += cat(parts.empty() ? "" : ", ", item.name, " ", byte_text(item.bytes));
  }
  throw Error(ErrorKind::work,
              {.place = "memory",
               .what = cat("needs ", byte_text(plan.total()), ", ", byte_text(available_bytes),
                           " available (", parts, ")"),
               .cure = cat("use fewer than ", limits.max_tokens, " tokens or a smaller model")});
}

}  // namespace qaq
