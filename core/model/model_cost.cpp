#include "core/model/model_cost.h"

#include <algorithm>

#include "core/model/model_source.h"

namespace qaq {
namespace {

// Operations of one token against one weight matrix.
std::int64_t product(const ModelSpec& spec, WeightRole role) {
  const auto [rows, cols] = weight_shape(role, spec.shape);
  return 2 * rows * cols;
}

std::int64_t visible_keys(const ModelSpec& spec, std::int64_t layer, std::int64_t n_keys) {
  const std::int64_t window = spec.attention_window(layer);
  return window > 0 ? std::min(window, n_keys) : n_keys;
}

// Scores and mixing of one token with one key: a product of head_dim each, for every query head.
std::int64_t operations_per_key(const ModelShape& shape) {
  return 4 * shape.n_heads * shape.head_dim;
}

// Of 1, 2 ... n_tokens keys, cut by the layer's window, the sum.
std::int64_t keys_of_prompt(const ModelSpec& spec, std::int64_t layer, std::int64_t n_tokens) {
  const std::int64_t growing = visible_keys(spec, layer, n_tokens);
  return growing * (growing + 1) / 2 + (n_tokens - growing) * growing;
}

TokenOperations without_keys(const ModelSpec& spec) {
  TokenOperations out;
  for (const WeightRole role :
       {WeightRole::query, WeightRole::key, WeightRole::value, WeightRole::attention_output}) {
    out.attention += spec.shape.n_layers * product(spec, role);
  }
  for (const WeightRole role : {WeightRole::gate, WeightRole::up, WeightRole::down}) {
    if (!has_weight(spec, role)) continue;
    out.feed_forward += spec.shape.n_layers * product(spec, role);
  }
  out.head = product(spec, WeightRole::head);
  return out;
}

}  // namespace

TokenOperations token_operations(const ModelSpec& spec, std::int64_t n_keys) {
  TokenOperations out = without_keys(spec);
  for (std::int64_t layer = 0; layer < spec.shape.n_layers; ++layer) {
    out.attention += operations_per_key(spec.shape) * visible_keys(spec, layer, n_keys);
  }
  return out;
}

TokenOperations prefill_operations(const ModelSpec& spec, std::int64_t n_tokens) {
  TokenOperations out = without_keys(spec);
  if (n_tokens == 0) return {};
  std::int64_t n_keys = 0;
  for (std::int64_t layer = 0; layer < spec.shape.n_layers; ++layer) {
    n_keys += keys_of_prompt(spec, layer, n_tokens);
  }
  out.attention += operations_per_key(spec.shape) * n_keys / n_tokens;
  out.head /= n_tokens;
  return out;
}

std::int64_t cache_bytes_per_token(const ModelSpec& spec, std::int64_t bytes_per_number) {
  const ModelShape& shape = spec.shape;
  return 2 * shape.n_layers * shape.n_kv_heads * shape.head_dim * bytes_per_number;
}

std::int64_t parameter_count(const ModelSpec& spec) {
  std::int64_t count = 0;
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    if (!has_weight(spec, role) || (role == WeightRole::head && spec.tied_embeddings)) continue;
    const auto [rows, cols] = weight_shape(role, spec.shape);
    count += rows * cols * (is_layer_role(role) ? spec.shape.n_layers : 1);
  }
  return count;
}

}  // namespace qaq
