#include "gpu/engine/device_plan.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/engine/forward.h"
#include "core/model/model_source.h"
#include "gpu/device/buffer.h"

namespace qaq::cuda {
namespace {

// What is left to the driver, the desktop and other programs.
constexpr std::int64_t kSpare = std::int64_t{512} << 20;

std::int64_t floats(std::int64_t n) { return Arena::rounded(4 * n); }

std::int64_t weight_floats(const ModelSpec& spec) {
  std::int64_t sum = 0;
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    if (!has_weight(spec, role) || (role == WeightRole::head && spec.tied_embeddings)) continue;
    for (std::int64_t layer = 0; layer < (is_layer_role(role) ? spec.shape.n_layers : 1); ++layer) {
      const auto [rows, cols] = weight_shape(role, spec.shape);
      sum += floats(rows * cols);
    }
  }
  return sum;
}

std::string parts_text(const MemoryPlan& plan) {
  std::string parts;
  for (const MemoryItem& item : plan.items) {
    parts += cat(parts.empty() ? "" : ", ", item.name, " ", byte_text(item.bytes));
  }
  return parts;
}

}  // namespace

std::int64_t score_slab_size(const ModelShape& shape, const EngineLimits& limits) {
  const std::int64_t all = shape.n_heads * limits.max_batch * limits.max_tokens;
  return std::max(limits.max_tokens, std::min(all, kTapBlockBytes / 4));
}

MemoryPlan plan_device_memory(const ModelSpec& spec, const EngineLimits& limits) {
  const ModelShape& s = spec.shape;
  const std::int64_t run = limits.max_batch, chunk = std::min(run, kChunkRows);
  const std::int64_t query_size = s.n_heads * s.head_dim, kv_size = s.n_kv_heads * s.head_dim;
  return {{
      {"weights", weight_floats(spec)},
      {"cache", 2 * floats(s.n_layers * kv_size * limits.max_tokens)},
      {"activations", floats(run * s.hidden_size) + 2 * floats(run * query_size) +
                          floats(chunk * s.hidden_size) + floats(chunk * query_size) +
                          2 * floats(chunk * kv_size) + 2 * floats(chunk * s.intermediate_size)},
      {"taps", floats(score_slab_size(s, limits))},
      {"logits", floats(std::min(logits_block_rows(s), run) * s.vocab_size)},
      {"rope and ids", 2 * floats(run * (spec.rope.n_rotary_dim / 2)) + floats(run)},
  }};
}

void require_device_memory(const ModelSpec& spec, const EngineLimits& limits,
                           std::int64_t free_bytes) {
  const MemoryPlan plan = plan_device_memory(spec, limits);
  const std::int64_t usable = std::max<std::int64_t>(0, free_bytes - kSpare);
  if (plan.total() <= usable) return;
  EngineLimits half = limits;
  half.max_tokens = std::max<std::int64_t>(1, limits.max_tokens / 2);
  half.max_batch = std::min(limits.max_batch, half.max_tokens);
  const std::int64_t saved = plan.total() - plan_device_memory(spec, half).total();
  throw Error(ErrorKind::work, {.place = "GPU memory",
                                .what = cat("needs ", byte_text(plan.total()), ", ",
                                            byte_text(usable), " free (", parts_text(plan), ")"),
                                .cure = cat("give fewer tokens (", half.max_tokens, " instead of ",
                                            limits.max_tokens, " save ", byte_text(saved),
                                            ") or a smaller model, or run with --device cpu")});
}

}  // namespace qaq::cuda
