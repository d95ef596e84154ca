#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string_view>

#include "core/engine/memory_plan.h"
#include "core/engine/ops.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Ops on the CPU in float32: the reference that other backends are held against. Weights are
/// decoded when loaded. Every call is done when it returns.
class CpuOps : public Ops {
 public:
  CpuOps(const ModelSpec& spec, const EngineLimits& limits);

  Tensor load_weight(const WeightView& weight) override;
  Tensor allocate(std::string_view name, std::int64_t rows, std::int64_t cols) override;
  Tensor rows(const Tensor& matrix, std::int64_t first, std::int64_t n_rows) const override;
  void begin(const BatchRows& run) override;
  void embed(const Tensor& table, std::span<const std::int32_t> ids, const Tensor& out) override;
  void norm(const Tensor& in, const Tensor& weight, std::int64_t n_rows,
            const Tensor& out) override;
  void linear(const Tensor& in, std::int64_t n_rows, std::span<const Projection> outputs) override;
  void rotate_append(std::int64_t layer, const BatchRows& rows, const HeadRows& heads) override;
  void attention(std::int64_t layer, const BatchRows& run, const Tensor& out,
                 TapSink* taps) override;
  void activate(const Tensor& gate, const Tensor& up, std::int64_t n_rows) override;
  void logits(const BatchRows& rows, const Tensor& in, const Tensor& head, TapSink* taps) override;
  void sync() override {}
  std::span<const float> last_logits() const override { return last_logits_.span(); }

 private:
  void rotate(std::span<float> head, std::int64_t position) const;
  void norm_head(std::span<float> head, const Tensor& weight) const;
  void tap_batch(std::int64_t layer, const BatchRows& batch, TapSink& taps) const;

  ModelSpec spec_;
  ModelShape shape_;
  std::int64_t n_rotary_dim_;
  BatchRows run_;
  std::deque<NdArray<float, 2>> matrices_;  // a deque: handles point into it
  NdArray<float, 2> cos_, sin_;             // (max_tokens, n_rotary_dim / 2)
  NdArray<float, 4> key_cache_;             // (n_layers, n_kv_heads, max_tokens, D)
  NdArray<float, 4> value_cache_;
  NdArray<float, 3> query_heads_;  // (n_heads, n_rows, D) of the batch, after RoPE
  NdArray<float, 1> last_logits_;  // (vocab_size)
};

}  // namespace qaq
