#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/engine/ops.h"
#include "core/engine/tap.h"
#include "core/model/model_spec.h"

namespace qaq {

/// Weights on a backend, roles as in WeightRole.
struct LayerWeights {
  Tensor attention_norm, query, key, value, attention_output;
  Tensor feed_forward_norm, gate, up, down;
};
struct EngineWeights {
  Tensor embedding, final_norm, head;
  std::vector<LayerWeights> layers;
};

/// Activations of a batch; (max_batch, ...).
struct Activations {
  Tensor hidden;  ///< residual stream, hidden_size
  Tensor normed;  ///< hidden_size
  Tensor query;   ///< n_heads * head_dim
  Tensor key;     ///< n_kv_heads * head_dim
  Tensor value;   ///< n_kv_heads * head_dim
  Tensor mixed;   ///< n_heads * head_dim
  Tensor gate;    ///< intermediate_size
  Tensor up;      ///< intermediate_size
};

/// What one pass is to run.
struct ForwardCall {
  std::span<const std::int32_t> ids;
  std::int64_t first_position = 0;
  TapSink* taps = nullptr;
};

/// One pass of a LLaMA-family decoder over call.ids, at positions call.first_position ...: appends
/// to the KV cache, taps what call.taps wants (may be null) and leaves the last row's logits in the
/// Ops. Progress counts layers. Written once for all backends.
void forward(Ops& ops, const ModelSpec& spec, const EngineWeights& weights,
             const Activations& activations, const ForwardCall& call, const Work& work);

}  // namespace qaq
