#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/engine/kv_cache.h"
#include "core/engine/memory_plan.h"
#include "core/engine/ops.h"
#include "core/engine/rope_angles.h"
#include "core/engine/tap_pool.h"
#include "core/tensor/nd_array.h"
#include "core/tensor/page_buffer.h"

namespace qaq {

/// Ops on the CPU in float32: the reference that other backends are held against. Matrices stay as
/// they are in the model's file and are multiplied from that form; vectors (norms, biases) are
/// decoded when loaded. Every call is done when it returns.
class CpuOps : public Ops {
 public:
  CpuOps(const ModelSpec& spec, const EngineLimits& limits);

  Tensor load_weight(const WeightView& weight) override;
  Tensor allocate(std::string_view name, std::int64_t rows, std::int64_t cols,
                  ActivationUse use) override;
  Tensor rows(const Tensor& matrix, std::int64_t first, std::int64_t n_rows) const override;
  void begin(const BatchRows& run, bool tapped) override;
  void embed(const Tensor& table, std::span<const std::int32_t> ids, const Tensor& out) override;
  void norm(const Tensor& in, const Tensor& weight, std::int64_t n_rows,
            const Tensor& out) override;
  void layer_norm(const Tensor& in, const NormWeights& norm, std::int64_t n_rows,
                  const Tensor& out) override;
  void add_positions(const Tensor& table, const BatchRows& run, const Tensor& hidden) override;
  void linear(const Tensor& in, std::int64_t n_rows, std::span<const Projection> outputs) override;
  void rotate_append(std::int64_t layer, const BatchRows& rows, const HeadRows& heads) override;
  void attention(std::int64_t layer, const BatchRows& run, const Tensor& out,
                 TapSink* taps) override;
  void replace_cache(std::int64_t layer, std::int64_t n_tokens, const NdView<const float, 3>& key,
                     const NdView<const float, 3>& value) override;
  void replace_rows(std::int64_t layer, std::span<const CacheRow> rows) override;
  void set_kept(SharedArray<std::uint8_t, 3> kept) override { kept_ = std::move(kept); }
  void set_sparse_top_k(std::int64_t top_k) override { sparse_top_k_ = top_k; }
  Tensor activate(const Tensor& gate, const Tensor& up, std::int64_t n_rows) override;
  void activate_plain(const Tensor& up, std::int64_t n_rows) override;
  void logits(const BatchRows& rows, const Tensor& in, const Tensor& head, TapSink* taps) override;
  void sync() override {}
  std::span<const float> last_logits() const override { return last_logits_.span(); }

 private:
  /// Rows of a run as heads, (heads, n_rows, D), for attention and taps.
  struct RunHeads {
    std::shared_ptr<float> query, key, value;
  };
  const WeightView& matrix_of(const Tensor& weight) const;
  const float* vector_of(const Tensor& weight) const;
  void read_row(const Tensor& table, std::int64_t row, std::span<float> out) const;
  void place_head(const float* from, const Tensor& norm, std::int64_t position, float* to) const;
  void tap_heads(std::int64_t layer, TapSink& taps) const;

  ModelSpec spec_;
  bool dequantize_;
  std::deque<WeightView> weights_;  // deques: handles point into them
  std::deque<PageBuffer> buffers_;  // activations, and weights that were decoded
  KvCache cache_;
  SharedArray<std::uint8_t, 3> kept_;
  TapPool pool_;
  BatchRows run_;
  std::int64_t sparse_top_k_ = 0;
  RunHeads heads_;
  RopeAngles angles_;
  NdArray<float, 1> last_logits_;  // (vocab_size)
};

}  // namespace qaq
