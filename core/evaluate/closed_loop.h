#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/engine/engine.h"
#include "core/evaluate/policy_decoder.h"
#include "core/evaluate/stream_taps.h"
#include "core/policy/cache_policy.h"
#include "core/replay/cache_stream.h"

namespace qaq {

/// A PolicyDecoder over any engine that can replace rows of its cache: the reference that others
/// are held against. Keys, values and rows of attention are tapped, planned and quantized as the
/// open loop does it with a capture's, and rows that changed are written back into the engine's
/// cache, which computes in numbers of its own and leaves evicted tokens out of its attention.
/// Without quantization, in f32, it gives the engine's bytes. Beside the engine's cache it holds
/// two more in float32: the exact one and the quantized. Same model, prompt and policy: the same
/// bytes, whatever the thread count.
class ClosedLoop : public PolicyDecoder {
 public:
  /// `engine` has run nothing yet; its limits say how many tokens there may be. Throws as
  /// validate().
  ClosedLoop(std::unique_ptr<Engine> engine, const DecodePolicy& policy);
  ClosedLoop(const ClosedLoop&) = delete;
  ClosedLoop& operator=(const ClosedLoop&) = delete;

  /// What it holds beside the engine, but for what grows with units: the exact and the quantized
  /// cache, and queries where the policy measures them.
  static std::int64_t cache_bytes(const ModelShape& shape, const DecodePolicy& policy,
                                  std::int64_t max_tokens);

  void prefill(std::span<const std::int32_t> ids, const Work& work) override;
  void decode(std::int32_t id, const Work& work) override;
  std::span<const float> logits() const override { return engine_->logits(); }
  DecodeFigures figures() const override;
  std::vector<std::uint8_t> n_bits(CacheSide side) const override;

  /// What the device holds of one cache, and the plan that it was quantized by.
  const StreamedCache& cache(CacheSide side) const { return caches_.cache(side); }
  /// Exact numbers, of n_tokens() tokens, and the statistics of their units.
  const StreamedLayers& exact() const { return taps_.layers(); }
  std::span<const UnitStats> stats(CacheSide side) const { return caches_.planner(side).stats(); }
  /// What is left of them; null where nothing is evicted.
  const SharedArray<std::uint8_t, 3>& kept() const { return caches_.kept(); }
  std::int64_t n_tokens() const { return engine_->n_tokens(); }

 private:
  StreamingStep run(std::span<const std::int32_t> ids, std::int64_t first_row, const Work& work,
                    double& quantizing);
  void write_back(std::int64_t first_new, bool planned);

  std::unique_ptr<Engine> engine_;
  DecodePolicy policy_;
  std::string name_;  // of the model
  std::shared_ptr<const CachePolicy> planning_;
  StreamTaps taps_;
  CacheStream caches_;
  DecodeFigures figures_;
};

}  // namespace qaq
