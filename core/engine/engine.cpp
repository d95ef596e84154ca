#include "core/engine/engine.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

SharedArray<std::uint8_t, 3> first_tokens(const NdArray<std::uint8_t, 3>& kept, std::int64_t n) {
  NdArray<std::uint8_t, 3> out({kept.shape(0), kept.shape(1), n});
  for (std::int64_t layer = 0; layer < kept.shape(0); ++layer) {
    for (std::int64_t head = 0; head < kept.shape(1); ++head) {
      std::copy_n(kept.sub(layer, head).data(), n, out.sub(layer, head).data());
    }
  }
  return std::make_shared<const NdArray<std::uint8_t, 3>>(std::move(out));
}

}  // namespace

Engine::Engine(std::shared_ptr<const ModelSource> model, std::unique_ptr<Ops> ops,
               const EngineLimits& limits, const Work& work)
    : model_(std::move(model)), ops_(std::move(ops)), limits_(limits) {
  const ModelShape& s = spec().shape;
  std::int64_t layer = 0;
  const auto load = [&](WeightRole role) {
    return has_weight(spec(), role) ? ops_->load_weight(model_->weight(role, layer)) : Tensor{};
  };
  const auto load_norm = [&](WeightRole weight, WeightRole bias) {
    return NormWeights{.weight = load(weight), .bias = load(bias)};
  };
  try {
    weights_.embedding = load(WeightRole::embedding);
    weights_.position_embedding = load(WeightRole::position_embedding);
    weights_.embedding_norm =
        load_norm(WeightRole::embedding_norm, WeightRole::embedding_norm_bias);
    weights_.final_norm = load_norm(WeightRole::final_norm, WeightRole::final_norm_bias);
    weights_.head = spec().tied_embeddings ? weights_.embedding : load(WeightRole::head);
    for (; layer < s.n_layers; ++layer) {
      work.throw_if_stopped();
      weights_.layers.push_back(
          {.attention_norm = load_norm(WeightRole::attention_norm, WeightRole::attention_norm_bias),
           .feed_forward_norm =
               load_norm(WeightRole::feed_forward_norm, WeightRole::feed_forward_norm_bias),
           .query = load(WeightRole::query),
           .key = load(WeightRole::key),
           .value = load(WeightRole::value),
           .attention_output = load(WeightRole::attention_output),
           .gate = load(WeightRole::gate),
           .up = load(WeightRole::up),
           .down = load(WeightRole::down),
           .query_bias = load(WeightRole::query_bias),
           .key_bias = load(WeightRole::key_bias),
           .value_bias = load(WeightRole::value_bias),
           .attention_output_bias = load(WeightRole::attention_output_bias),
           .gate_bias = load(WeightRole::gate_bias),
           .up_bias = load(WeightRole::up_bias),
           .down_bias = load(WeightRole::down_bias),
           .query_norm = load(WeightRole::query_norm),
           .key_norm = load(WeightRole::key_norm)});
      work.report({"load", layer + 1, s.n_layers, "layers"});
    }
    ops_->sync();
  } catch (const Error& error) {
    throw error.with_file(model_->file());
  }
  using enum ActivationUse;
  const auto run_rows = [&](const char* name, std::int64_t cols, ActivationUse use) {
    return ops_->allocate(name, limits_.max_batch, cols, use);
  };
  const auto chunk_rows = [&](const char* name, std::int64_t cols, ActivationUse use = sum) {
    return ops_->allocate(name, std::min(limits_.max_batch, kChunkRows), cols, use);
  };
  activations_ = {.hidden = run_rows("hidden", s.hidden_size, sum),
                  .mixed = run_rows("mixed", s.n_heads * s.head_dim, product_input),
                  .normed = chunk_rows("normed", s.hidden_size, product_input),
                  .query = chunk_rows("query", s.n_heads * s.head_dim),
                  .key = chunk_rows("key", s.n_kv_heads * s.head_dim),
                  .value = chunk_rows("value", s.n_kv_heads * s.head_dim),
                  .gate = spec().activation == Activation::swiglu
                              ? chunk_rows("gate", s.intermediate_size)
                              : Tensor{},
                  .up = chunk_rows("up", s.intermediate_size)};
}

void Engine::run(std::span<const std::int32_t> ids, TapSink* taps, const Work& work) {
  const auto n = static_cast<std::int64_t>(ids.size());
  if (n == 0) return;
  if (n > limits_.max_batch || n_tokens_ + n > limits_.max_tokens) {
    refuse_usage({.place = "tokens",
                  .what = cat(n_tokens_ + n, " tokens, but the engine was opened for ",
                              limits_.max_tokens, " in batches of ", limits_.max_batch),
                  .cure = "open it with larger limits"});
  }
  if (spec().positions == PositionEmbedding::learned &&
      n_tokens_ + n > spec().shape.context_length) {
    refuse_usage({.place = "tokens",
                  .what = cat(n_tokens_ + n, " tokens, but the model has learned ",
                              spec().shape.context_length, " positions"),
                  .cure = "give fewer tokens"});
  }
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= spec().shape.vocab_size) {
      refuse_input({.place = "token ids",
                    .what = cat("token ", id, " is not in the vocabulary of ",
                                spec().shape.vocab_size, " tokens"),
                    .cure = "tokenize the text with this model's tokenizer"});
    }
  }
  try {
    forward(*ops_, spec(), weights_, activations_, {ids, n_tokens_, taps}, work);
  } catch (...) {
    ops_->cancel();  // the sink may go before the engine
    throw;
  }
  n_tokens_ += n;
}

void Engine::keep(std::int64_t n) {
  n_tokens_ = std::min(n, n_tokens_);
  if (kept_ && kept_->shape(2) > n_tokens_) {
    set_kept(n_tokens_ == 0 ? nullptr : first_tokens(*kept_, n_tokens_));
  }
}

void Engine::set_kept(SharedArray<std::uint8_t, 3> kept) {
  const ModelShape& s = spec().shape;
  if (kept && (kept->shape(0) != s.n_layers || kept->shape(1) != s.n_kv_heads ||
               kept->shape(2) > n_tokens_)) {
    refuse_usage({.place = "evicted tokens",
                  .what = "have another shape than the model's cache",
                  .cure = cat("give ", s.n_layers, " x ", s.n_kv_heads, " x ", n_tokens_,
                              " numbers at most")});
  }
  ops_->set_kept(kept);
  kept_ = std::move(kept);
}

void Engine::resume(std::int64_t n, const std::function<LayerCache(std::int64_t)>& cache_of) {
  const ModelShape& s = spec().shape;
  if (n > limits_.max_tokens) {
    refuse_usage({.place = "tokens",
                  .what = cat("a cache of ", n, " tokens, but the engine was opened for ",
                              limits_.max_tokens),
                  .cure = "open it with larger limits"});
  }
  keep(0);
  for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
    const LayerCache cache = cache_of(layer);
    const auto fits = [&](const NdArray<float, 3>& a) {
      return a.shape(0) == s.n_kv_heads && a.shape(1) >= n && a.shape(2) == s.head_dim;
    };
    if (!fits(*cache.key) || !fits(*cache.value)) {
      refuse_usage({.place = cat("cache of layer ", layer),
                    .what = "has another shape than the model's",
                    .cure = cat("give ", s.n_kv_heads, " x ", n, " x ", s.head_dim, " numbers")});
    }
    ops_->replace_cache(layer, n, cache.key->view(), cache.value->view());
  }
  ops_->sync();
  n_tokens_ = n;
}

void Engine::replace_rows(std::int64_t layer, std::span<const CacheRow> rows) {
  for (const CacheRow& row : rows) {
    assert(row.position < n_tokens_ && row.head < spec().shape.n_kv_heads);
  }
  ops_->replace_rows(layer, rows);
  ops_->sync();
}

std::int32_t Engine::greedy_token() const {
  const auto row = logits();
  return static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

}  // namespace qaq
