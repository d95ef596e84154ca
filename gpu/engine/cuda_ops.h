#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/engine/memory_plan.h"
#include "core/engine/ops.h"
#include "core/engine/rope_angles.h"
#include "core/engine/tap_pool.h"
#include "core/model/model_spec.h"
#include "gpu/device/buffer.h"
#include "gpu/device/stream.h"
#include "gpu/engine/weight_upload.h"

namespace qaq::cuda {

/// Ops on a GPU in float32, the mode that is held against the CPU's bounds: weights decoded to
/// float32 when they are loaded, no TF32. Calls are queued on one stream; those that tap wait for
/// the numbers that they hand out.
class CudaOps : public Ops {
 public:
  /// Takes all device memory at once. Throws Error{work}.
  CudaOps(const ModelSpec& spec, const EngineLimits& limits);

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
  void replace_cache(std::int64_t layer, std::int64_t n_tokens, const NdView<const float, 3>& key,
                     const NdView<const float, 3>& value) override;
  void activate(const Tensor& gate, const Tensor& up, std::int64_t n_rows) override;
  void logits(const BatchRows& rows, const Tensor& in, const Tensor& head, TapSink* taps) override;
  void sync() override { stream_.wait(); }
  std::span<const float> last_logits() const override;

 private:
  /// Row `position` of head 0 of a layer in a cache array; heads are max_tokens rows apart.
  float* cache_rows(float* cache, std::int64_t layer, std::int64_t position) const;
  void upload(const float* from, std::int64_t n, float* to);
  void download(const float* from, std::int64_t n, float* to);
  void tap_heads(std::int64_t layer, TapSink& taps);
  void put(TapSink& taps, TapBlock block, const std::shared_ptr<float>& numbers);

  ModelSpec spec_;
  EngineLimits limits_;
  Arena arena_;
  float *keys_, *values_;  // (n_layers, n_kv_heads, max_tokens, D)
  float* query_heads_;     // (n_heads, rows of the run, D)
  float *cos_, *sin_;      // (rows of the run, n_rotary_dim / 2)
  float* scores_;          // a block of attention rows
  float* logits_;          // a block of logits
  std::int32_t* ids_;      // (rows of the run)
  WeightUpload weights_;
  TapPool pool_;
  BatchRows run_;
  RopeAngles angles_;
  PinnedBuffer<float> host_angles_;
  PinnedBuffer<std::int32_t> host_ids_;
  PinnedBuffer<float> last_logits_;
  Stream stream_;  // last: its work is done before the memory goes
};

}  // namespace qaq::cuda
