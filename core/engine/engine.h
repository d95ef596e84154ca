#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/engine/forward.h"
#include "core/engine/memory_plan.h"
#include "core/engine/ops.h"
#include "core/engine/tap.h"
#include "core/model/model_source.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// A model opened for running on some backend: weights, KV cache and activations. Not thread safe.
class Engine {
 public:
  /// Loads the weights (progress in layers). Throws Error{input} naming file and tensor.
  Engine(std::shared_ptr<const ModelSource> model, std::unique_ptr<Ops> ops,
         const EngineLimits& limits, const Work& work = {});

  /// Runs the next tokens: a prompt in one batch, or one decoded token. Progress counts layers.
  /// `taps` may be null. Throws Error{usage} beyond the limits, Error{interrupted} when stopped
  /// (then the engine is to be thrown away).
  void run(std::span<const std::int32_t> ids, TapSink* taps = nullptr, const Work& work = {});

  /// Logits (vocab_size) of the last token that was run.
  std::span<const float> logits() const { return ops_->last_logits(); }
  /// The most likely next token; ties: the lower id.
  std::int32_t greedy_token() const;

  std::int64_t n_tokens() const { return n_tokens_; }
  /// Forgets all but the first `n` tokens, as many as were run at most; the next run goes on from
  /// there. The logits stay those of the last run.
  void keep(std::int64_t n);
  /// Keys and values of one layer, each (n_kv_heads, n tokens or more, D), as they are tapped.
  struct LayerCache {
    SharedArray<float, 3> key, value;
  };
  /// Forgets everything and goes on behind `n` tokens whose keys and values come from
  /// cache_of(layer), asked once a layer in order: how a quantized cache gets into a model. Throws
  /// Error{usage} beyond the limits or where a shape does not fit. The logits stay those of the
  /// last run.
  void resume(std::int64_t n, const std::function<LayerCache(std::int64_t)>& cache_of);
  /// Writes single rows of a layer's cache, of positions that were run. Throws Error{work} where
  /// the backend cannot.
  void replace_rows(std::int64_t layer, std::span<const CacheRow> rows);
  /// Evicts tokens: no query of a KV head's group that is run from now on sees the positions where
  /// `kept` (n_layers, n_kv_heads, n), in place of an earlier one, is 0; what lies behind n is
  /// seen. Null: all are. Forgotten with the tokens. Throws Error{usage} where the shape does not
  /// fit or n is more than were run, Error{work} where the backend cannot.
  void set_kept(SharedArray<std::uint8_t, 3> kept);
  /// From the next run on each query attends to the `top_k` keys with its largest logits alone; 0:
  /// to all. Throws Error{work} where the backend cannot.
  void set_sparse_top_k(std::int64_t top_k) { ops_->set_sparse_top_k(top_k); }
  const ModelSpec& spec() const { return model_->spec(); }
  const EngineLimits& limits() const { return limits_; }

 private:
  std::shared_ptr<const ModelSource> model_;
  std::unique_ptr<Ops> ops_;
  EngineLimits limits_;
  EngineWeights weights_;
  Activations activations_;
  std::int64_t n_tokens_ = 0;
  SharedArray<std::uint8_t, 3> kept_;
};

}  // namespace qaq
