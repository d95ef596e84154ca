#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/base/parameters.h"
#include "core/base/progress.h"
#include "core/policy/cache_policy.h"
#include "core/policy/qaq_params.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"
#include "core/replay/streamed_cache.h"
#include "core/replay/streaming_params.h"

namespace qaq {

struct StreamingOptions {
  QaqParams params{};  ///< of QAQ
  StreamingParams streaming{};
  /// Tokens that are there before decode begins; 0: the capture's prompt, or half of the tokens
  /// where nothing was generated.
  std::int64_t prefill = 0;
  /// Any policy (core/policy/policies.h) in place of QAQ with `params`. Null: QAQ.
  std::shared_ptr<const CachePolicy> policy{};
};

/// One step of decode: what token `token` met, and what its plan changed. Bytes are those of a
/// float16 cache of the captured layers; times follow from the link model and are no measurement.
struct StreamingStep {
  std::int64_t token = 0;  ///< s, the newest; s + 1 are in the cache
  CacheChanges key;
  CacheChanges value;
  Transfers d2h;                    ///< the new token's keys and values for the host
  Transfers h2d;                    ///< units that were fetched
  std::int64_t resident_bytes = 0;  ///< on the device, after the step
  std::int64_t host_bytes = 0;      ///< the host's unquantized copy; rivals need none
  std::int64_t full_bytes = 0;      ///< all tokens, unquantized
  double kept_share = 1;            ///< of all tokens of all KV heads, after the step
  double d2h_seconds = 0;
  double h2d_seconds = 0;
  double stall_seconds = 0;  ///< what of h2d_seconds makes the step longer
  double key_mean_bits = 0;  ///< over units that are quantized; 0: none is
  double value_mean_bits = 0;
  /// The step's row of scores on the cache as it stood, before the plan, against the whole cache:
  /// mean of (S' - S)^2 over layers, heads and s + 1 keys, and of (X' - X)^2 over layers, heads and
  /// channels. 0 where the result has no errors.
  double attention_error = 0;
  double output_error = 0;
};

/// What is left in one cache behind the last step.
struct StreamedFinal {
  /// (n_layers, n_kv_heads, T); dtype_bits: not quantized; CacheReplay::kEvicted.
  NdArray<std::uint8_t, 3> bits;
  NdArray<std::uint8_t, 4>
      outliers;              ///< (n_layers, n_kv_heads, T, ceil(D/8)), MSB first; 1: kept exactly
  NdArray<float, 4> values;  ///< (n_layers, n_kv_heads, T, D): what the device holds
  NdArray<float, 3> error;  ///< (n_layers, n_kv_heads, T), mean squared over channels; evicted: NaN
};

/// A capture whose decode was replayed step by step. Immutable: share it.
struct StreamingResult {
  std::string policy;                 ///< "qaq"
  std::vector<Parameter> parameters;  ///< as they were used, the policy's and streaming's
  std::int64_t n_tokens = 0;          ///< T
  std::int64_t prefill = 0;           ///< P: tokens before decode
  StreamingStep prefill_step;         ///< the plan of the prompt, which fetches nothing
  std::vector<StreamingStep> steps;   ///< T - P
  StreamedFinal key;
  StreamedFinal value;
  bool has_errors = false;            ///< the capture has the queries that they take
  NdArray<float, 3> attention_error;  ///< (n_layers, n_heads, T - P), sums over keys; or empty
  NdArray<float, 3> output_error;     ///< (n_layers, n_heads, T - P), means over channels; or empty
  std::int64_t unit_steps = 0;        ///< units of both caches, summed over steps
  std::int64_t full_bytes = 0;        ///< T tokens, unquantized
};

using SharedStreaming = std::shared_ptr<const StreamingResult>;

/// Replays decode as a serving system would do it (section 5 of the mathematics): a quantized cache
/// on the device, an unquantized copy on the host. The prompt is planned once from its last rows,
/// then for each token s: its row meets the cache as it stands, importance is updated from the
/// captured row (an open loop), every unit is planned for T = s + 1, and what changes is quantized
/// again. A policy that evicts chooses after the prompt and after each token's row, which it and
/// QAQ see as it is over what was left; a rival's format quantizes each row once, and neither needs
/// the host. With importance other than window_max no token is too young to be planned:
/// last_n_attentions is taken for 1. Holds keys, values and queries of all layers in float32, keys
/// and values twice. Same capture and options: the same bytes, whatever the thread count.
/// Throws as replay() does, Error{usage} where nothing is left to decode and for a closed loop.
SharedStreaming stream(const CaptureView& capture, const StreamingOptions& options,
                       const Work& work = {});

/// Bytes that a new token's keys and values take on their way to the host.
std::int64_t token_bytes(const CacheShape& shape);

nlohmann::ordered_json changes_json(const CacheChanges& changes);
/// Sums over all steps, and what was left.
nlohmann::ordered_json streaming_totals_json(const StreamingResult& result);
/// One array a figure, in the order of steps.
nlohmann::ordered_json streaming_steps_json(const StreamingResult& result);

}  // namespace qaq
