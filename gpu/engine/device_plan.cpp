#include "gpu/engine/device_plan.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/engine/forward.h"
#include "core/model/model_source.h"
#include "gpu/cuda/kernels/attention_stats.h"
#include "gpu/cuda/kernels/half_attention.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/device/buffer.h"
#include "gpu/engine/products.h"
#include "gpu/engine/weight_upload.h"

namespace qaq::cuda {
namespace {

// What is left to the driver, the desktop and other programs.
constexpr std::int64_t kSpare = std::int64_t{512} << 20;

constexpr std::int64_t kMaxRing = std::int64_t{512} << 20;
constexpr std::int64_t kMaxPinned = std::int64_t{256} << 20;
constexpr std::int64_t kPieces = 4;  // that fit the pinned memory

std::int64_t floats(std::int64_t n) { return Arena::rounded(4 * n); }

// Matrices as the engine multiplies them, vectors (norms, biases) as float32.
std::int64_t weight_sizes(const ModelSpec& spec, DType dtype) {
  std::int64_t sum = 0;
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    if (!has_weight(spec, role) || (role == WeightRole::head && spec.tied_embeddings)) continue;
    for (std::int64_t layer = 0; layer < (is_layer_role(role) ? spec.shape.n_layers : 1); ++layer) {
      const auto [rows, cols] = weight_shape(role, spec.shape);
      sum += Arena::rounded(rows * cols * (rows == 1 ? 4 : bytes_of(dtype)));
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

std::int64_t logits_rows(const ModelSpec& spec, const EngineLimits& limits) {
  return limits.tapped ? std::min(logits_block_rows(spec.shape), limits.max_batch) : 1;
}

std::int64_t attention_workspace(const ModelSpec& spec, const EngineLimits& limits) {
  if (limits.dtype == DType::f32) return 0;
  const ModelShape& s = spec.shape;
  const std::int64_t n_rows = std::min(limits.max_batch, kDecodeRows);
  return floats(half_attention_workspace({.n_heads = s.n_heads,
                                          .n_kv_heads = s.n_kv_heads,
                                          .head_dim = s.head_dim,
                                          .first_position = limits.max_tokens - n_rows,
                                          .n_rows = n_rows}));
}

TapRing::Sizes tap_ring_sizes(const ModelSpec& spec, const EngineLimits& limits) {
  if (!limits.tapped) return {};
  const ModelShape& s = spec.shape;
  const std::int64_t run = limits.max_batch, size = bytes_of(limits.dtype);
  const std::int64_t scores = 4 * triangle_size(limits.max_tokens - run, run);
  const std::int64_t heads = s.n_heads + 2 * s.n_kv_heads;
  const std::int64_t layer = heads * ByteRing::rounded(run * s.head_dim * size) +
                             s.n_heads * ByteRing::rounded(scores) +
                             ByteRing::rounded(4 * s.vocab_size);
  // What cannot be split: a row of scores that becomes statistics, a head's statistics, a row of
  // logits, a head's rows of a run.
  const std::int64_t least = ByteRing::rounded(
      std::max({stats_region_bytes(1, limits.max_tokens - 1, 1), 4 * (run + limits.max_tokens),
                4 * s.vocab_size, run * s.head_dim * size}));
  TapRing::Sizes sizes;
  sizes.device_bytes = std::max(std::min(2 * layer, kMaxRing), 2 * least);
  sizes.pinned_bytes = std::max(std::min(sizes.device_bytes, kMaxPinned), 2 * least);
  sizes.piece_bytes = std::max(sizes.pinned_bytes / kPieces / 256 * 256, least);
  sizes.pool_bytes = tap_pool_bytes(s, limits);
  return sizes;
}

std::int64_t stats_region_bytes(std::int64_t n_heads, std::int64_t first_position,
                                std::int64_t n_rows) {
  const AttentionStatsCall call{
      .n_heads = n_heads, .first_position = first_position, .n_rows = n_rows};
  return ByteRing::rounded(4 * attention_stats_size(call)) +
         ByteRing::rounded(4 * attention_stats_workspace(call)) +
         ByteRing::rounded(4 * n_heads * triangle_size(first_position, n_rows));
}

std::int64_t tap_region_bytes(const TapRing::Sizes& sizes) {
  return sizes.device_bytes / 2 / 256 * 256;
}

std::int64_t cache_bytes(const ModelSpec& spec, DType dtype, std::int64_t n_tokens) {
  const ModelShape& s = spec.shape;
  return 2 * Arena::rounded(s.n_layers * s.n_kv_heads * s.head_dim * n_tokens * bytes_of(dtype));
}

void require_runnable(const ModelSpec& spec) {
  if (spec.norm == NormKind::rms && spec.positions == PositionEmbedding::rope &&
      spec.activation == Activation::swiglu && !spec.embedding_norm && !spec.parallel_residual) {
    return;
  }
  refuse_usage({.place = "--device cuda",
                .what = cat("models of the ", spec.architecture, " family cannot be run on a GPU"),
                .cure = "run on the CPU: --device cpu"});
}

MemoryPlan plan_device_memory(const ModelSpec& spec, const EngineLimits& limits) {
  MemoryPlan plan = plan_engine_memory(spec, limits);
  plan.items.insert(plan.items.begin() + 1,
                    {"cache", cache_bytes(spec, limits.dtype, limits.max_tokens)});
  return plan;
}

MemoryPlan plan_engine_memory(const ModelSpec& spec, const EngineLimits& limits) {
  require_runnable(spec);
  const ModelShape& s = spec.shape;
  const std::int64_t run = limits.max_batch, chunk = std::min(run, kChunkRows);
  const std::int64_t query_size = s.n_heads * s.head_dim, kv_size = s.n_kv_heads * s.head_dim;
  const auto inputs = [&](std::int64_t n) { return Arena::rounded(n * bytes_of(limits.dtype)); };
  const std::int64_t activated =
      limits.dtype == DType::f32 ? 0 : inputs(chunk * s.intermediate_size);
  const std::int64_t products = limits.dtype == DType::f32 ? 0 : Products::kWorkspaceBytes;
  return {{
      {"weights", weight_sizes(spec, limits.dtype)},
      {"activations", floats(run * s.hidden_size) + 2 * inputs(run * query_size) +
                          inputs(chunk * s.hidden_size) + floats(chunk * query_size) +
                          2 * floats(chunk * kv_size) + 2 * floats(chunk * s.intermediate_size) +
                          activated},
      {"taps", Arena::rounded(tap_ring_sizes(spec, limits).device_bytes)},
      {"logits", floats(logits_rows(spec, limits) * s.vocab_size)},
      {"working memory",
       WeightUpload::device_bytes(spec) + products + attention_workspace(spec, limits)},
      {"rope, ids, position", 2 * floats(run * (spec.rope.n_rotary_dim / 2)) + floats(run) +
                                  Arena::rounded(sizeof(std::int64_t))},
  }};
}

EngineLimits half_limits(const EngineLimits& limits) {
  EngineLimits half = limits;
  half.max_tokens = std::max<std::int64_t>(1, limits.max_tokens / 2);
  half.max_batch = std::min(limits.max_batch, half.max_tokens);
  return half;
}

void require_device_memory(const ModelSpec& spec, const EngineLimits& limits,
                           std::int64_t free_bytes) {
  require_device_memory(plan_device_memory(spec, limits),
                        plan_device_memory(spec, half_limits(limits)), limits.max_tokens,
                        free_bytes);
}

void require_device_memory(const MemoryPlan& plan, const MemoryPlan& with_half,
                           std::int64_t max_tokens, std::int64_t free_bytes) {
  const std::int64_t usable = std::max<std::int64_t>(0, free_bytes - kSpare);
  if (plan.total() <= usable) return;
  const std::int64_t half = std::max<std::int64_t>(1, max_tokens / 2);
  throw Error(ErrorKind::work, {.place = "GPU memory",
                                .what = cat("needs ", byte_text(plan.total()), ", ",
                                            byte_text(usable), " free (", parts_text(plan), ")"),
                                .cure = cat("give fewer tokens (", half, " instead of ", max_tokens,
                                            " save ", byte_text(plan.total() - with_half.total()),
                                            ") or a smaller model, or run with --device cpu")});
}

}  // namespace qaq::cuda
