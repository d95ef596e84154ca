#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/engine/ops.h"
#include "core/engine/tap.h"
#include "core/model/model_spec.h"

namespace qaq {

/// Weights on a backend, roles as in WeightRole. Optional ones have no handle where the model lacks
/// them.
struct LayerWeights {
  NormWeights attention_norm, feed_forward_norm;
  Tensor query, key, value, attention_output;
  Tensor gate, up, down;
  Tensor query_bias, key_bias, value_bias, attention_output_bias;
  Tensor gate_bias, up_bias, down_bias;
  Tensor query_norm, key_norm;
};
struct EngineWeights {
  Tensor embedding, position_embedding, head;
  NormWeights embedding_norm, final_norm;
  std::vector<LayerWeights> layers;
};

/// Rows that pass through a layer's products together. Long runs go in chunks, inside each layer,
/// so that a decoded weight serves many rows and what lies between products stays in the cache.
constexpr std::int64_t kChunkRows = 512;

/// Activations of a run (max_batch rows) and of a chunk (kChunkRows rows at most).
struct Activations {
  Tensor hidden;  ///< run: residual stream, hidden_size
  Tensor mixed;   ///< run: n_heads * head_dim
  Tensor normed;  ///< chunk: hidden_size
  Tensor query;   ///< chunk: n_heads * head_dim
  Tensor key;     ///< chunk: n_kv_heads * head_dim
  Tensor value;   ///< chunk: n_kv_heads * head_dim
  Tensor gate;    ///< chunk: intermediate_size, of SwiGLU
  Tensor up;      ///< chunk: intermediate_size
};

/// What one pass is to run.
struct ForwardCall {
  std::span<const std::int32_t> ids;
  std::int64_t first_position = 0;
  TapSink* taps = nullptr;
};

/// One pass of a decoder over call.ids, at positions call.first_position ...: appends
/// to the KV cache, taps what call.taps wants (may be null) and leaves the last row's logits in the
/// Ops. Progress counts layers. Written once for all backends.
void forward(Ops& ops, const ModelSpec& spec, const EngineWeights& weights,
             const Activations& activations, const ForwardCall& call, const Work& work);

}  // namespace qaq
