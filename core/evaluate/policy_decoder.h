#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/progress.h"
#include "core/policy/cache_policy.h"
#include "core/policy/qaq_params.h"
#include "core/quant/device_cache_bytes.h"
#include "core/quant/packed_bytes.h"
#include "core/replay/streaming.h"
#include "core/replay/streaming_params.h"
#include "core/tensor/dtype.h"

namespace qaq {

/// By what a cache is quantized while a model decodes on it.
struct DecodePolicy {
  QaqParams params{};
  StreamingParams streaming{.loop = StreamingLoop::closed};
  /// Numbers of the cache: what is planned, quantized and kept on the host was rounded to it, and
  /// so are tokens that are not quantized yet, once they were run.
  DType dtype = DType::f32;
  /// Any policy (core/policy/policies.h) in place of QAQ with `params`. Null: QAQ.
  std::shared_ptr<const CachePolicy> policy{};

  /// As the command line has it.
  std::string name() const;
  std::vector<Parameter> parameters() const;
};

/// Throws Error{usage} where a decoder on such a device is asked for what it has of QAQ alone.
void require_qaq(const DecodePolicy& policy, std::string_view device);
/// Throws Error{usage} where parameters contradict each other or ask for an open loop.
void validate(const DecodePolicy& policy);

/// What decoding on a quantized cache came to. Bytes are those of a 16-bit cache, whatever its
/// numbers are, as streaming counts them.
struct DecodeFigures {
  StreamingStep prompt;      ///< the plan of the prompt, which fetches nothing
  std::int64_t prefill = 0;  ///< P: tokens of the prompt
  std::int64_t steps = 0;    ///< decoded tokens that were run
  CacheChanges key, value;   ///< of all steps
  Transfers d2h, h2d;        ///< of all steps: new tokens to the host, fetched units back
  double h2d_seconds = 0;    ///< by the link model
  double stall_seconds = 0;  ///< what of it makes steps longer, by the link model
  PackedBytes key_bytes{};   ///< of the quantized tokens, on the device
  PackedBytes value_bytes{};
  std::int64_t resident_bytes = 0;  ///< those, and the tokens that are not quantized
  /// After any step; absent where steps are not counted as they run.
  std::optional<std::int64_t> peak_resident_bytes;
  std::int64_t full_bytes = 0;  ///< all tokens unquantized; so many lie on the host
  double key_mean_bits = 0;     ///< over units that are quantized; 0: none is
  double value_mean_bits = 0;
  double kept_share = 1;  ///< of all tokens of all KV heads
  /// What the cache takes of a GPU, where it lies on one.
  struct OnDevice {
    DeviceCacheBytes key, value;
  };
  std::optional<OnDevice> on_device;
  double prefill_seconds = 0;             ///< measured
  double prefill_quantizing_seconds = 0;  ///< what of it taps, the plan and the cache took
  double step_seconds = 0;                ///< the same of all steps
  double step_quantizing_seconds = 0;
  /// By how much that made steps longer, where it ran beside the model; absent: by all of it.
  std::optional<double> step_exposed_seconds;

  std::int64_t unquantized_bytes() const {
    return resident_bytes - key_bytes.total() - value_bytes.total();
  }
  /// Shares of the steps' time; 0 without steps.
  double quantizing_share() const { return share_of_steps(step_quantizing_seconds); }
  double exposed_share() const {
    return share_of_steps(step_exposed_seconds.value_or(step_quantizing_seconds));
  }

 private:
  double share_of_steps(double seconds) const {
    return step_seconds > 0 ? seconds / step_seconds : 0.0;
  }
};

/// Figures under the names that streaming has for them.
nlohmann::ordered_json decode_figures_json(const DecodeFigures& figures);

/// A model that decodes on a cache which a policy quantizes as it grows (section 5 of the
/// mathematics, a closed loop): each token meets the cache as it stands, then importance, plan and
/// what changes follow. The seam that a GPU's decoder implements too. Not thread safe.
class PolicyDecoder {
 public:
  virtual ~PolicyDecoder() = default;
  /// Runs the prompt, unquantized, and plans it once from its last rows. To be called once, first,
  /// with at least one token. Throws what Engine::run() throws, Error{usage} where the policy's
  /// parameters make no sense for the model, and Error{input} where a number is NaN, infinite or
  /// too large for the cache's; after any of these the decoder is to be thrown away.
  virtual void prefill(std::span<const std::int32_t> ids, const Work& work) = 0;
  /// Runs one token on the cache as it stands, then quantizes what its plan changes. Throws as
  /// prefill().
  virtual void decode(std::int32_t id, const Work& work) = 0;
  /// Logits (vocab_size) of the last token that was run.
  virtual std::span<const float> logits() const = 0;
  virtual DecodeFigures figures() const = 0;
  /// Bits that the units of one cache were quantized by, in the order of UnitLayout, for the tokens
  /// of the last plan; empty at no-quantization.
  virtual std::vector<std::uint8_t> n_bits(CacheSide side) const = 0;
};

}  // namespace qaq
