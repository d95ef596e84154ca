#include "core/engine/memory_plan.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr std::int64_t kFloat = 4;
// Blocks large enough that a product runs at full speed, small enough to stay beside the weights.
constexpr std::int64_t kBlockBytes = std::int64_t{32} << 20;

}  // namespace

std::int64_t MemoryPlan::total() const {
  std::int64_t sum = 0;
  for (const MemoryItem& item : items) sum += item.bytes;
  return sum;
}

std::int64_t logits_block_rows(const ModelShape& shape) {
  return std::clamp<std::int64_t>(kBlockBytes / (kFloat * shape.vocab_size), 1, 256);
}

std::int64_t attention_block_heads(const ModelShape& shape, std::int64_t n_rows,
                                   std::int64_t n_keys) {
  return std::clamp<std::int64_t>(kBlockBytes / std::max<std::int64_t>(1, kFloat * n_rows * n_keys),
                                  1, shape.n_heads);
}

MemoryPlan plan_memory(const ModelSpec& spec, const EngineLimits& limits) {
  const ModelShape& s = spec.shape;
  const std::int64_t query_size = s.n_heads * s.head_dim, kv_size = s.n_kv_heads * s.head_dim;
  const std::int64_t layer = 2 * s.hidden_size * (query_size + kv_size) +
                             3 * s.hidden_size * s.intermediate_size + 2 * s.hidden_size;
  const std::int64_t tables = (spec.tied_embeddings ? 1 : 2) * s.vocab_size * s.hidden_size;
  const std::int64_t row =
      2 * s.hidden_size + 3 * query_size + 2 * kv_size + 2 * s.intermediate_size;
  const std::int64_t block_heads = attention_block_heads(s, limits.max_batch, limits.max_tokens);
  const std::int64_t logits_rows = std::min(logits_block_rows(s), limits.max_batch);
  return {{
      {"weights", kFloat * (s.n_layers * layer + tables + s.hidden_size)},
      {"cache", kFloat * 2 * s.n_layers * kv_size * limits.max_tokens},
      {"activations", kFloat * row * limits.max_batch},
      {"scores", kFloat * block_heads * limits.max_batch * limits.max_tokens},
      {"logits", kFloat * (logits_rows + 1) * s.vocab_size},
      {"rope", kFloat * spec.rope.n_rotary_dim * limits.max_tokens},
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
