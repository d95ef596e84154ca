#pragma once

#include <memory>
#include <vector>

#include "core/engine/engine.h"
#include "core/evaluate/policy_decoder.h"
#include "core/model/model_source.h"
#include "gpu/codec/streaming_ops.h"

namespace qaq::cuda {

/// A model that decodes on a quantized cache on the GPU: StreamingOps under the engine that every
/// backend has.
class CudaDecoder : public PolicyDecoder {
 public:
  /// Opens the model for a prompt of limits.max_batch tokens and limits.max_tokens in all. Throws
  /// what opening an engine throws, Error{usage} for what is planned on the CPU alone.
  CudaDecoder(std::shared_ptr<const ModelSource> model, const EngineLimits& limits,
              const DecodePolicy& policy, std::shared_ptr<CublasLt> library, const Work& work);

  void prefill(std::span<const std::int32_t> ids, const Work& work) override;
  void decode(std::int32_t id, const Work& work) override;
  std::span<const float> logits() const override { return engine_->logits(); }
  /// What the cache holds is read from the device; figures of steps were counted as they ran.
  DecodeFigures figures() const override;
  std::vector<std::uint8_t> n_bits(CacheSide side) const override;

 private:
  struct Held {
    PackedBytes bytes;
    double mean_bits = 0;
  };
  Held held(CacheSide side) const;
  std::int64_t resident_bytes(const Held& key, const Held& value) const;
  StreamingSetup setup_;
  StreamingOps* ops_ = nullptr;  // the engine's
  std::unique_ptr<Engine> engine_;
  DecodeFigures figures_;
};

}  // namespace qaq::cuda
