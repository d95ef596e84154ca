#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/policy/cache_policy.h"
#include "core/quant/unit_values.h"
#include "core/replay/running_importance.h"
#include "core/replay/streaming_params.h"

namespace qaq {

/// A whole capture in memory, as it is streamed: one view a layer.
struct StreamedLayers {
  std::vector<CacheLayer> key;                  ///< (n_kv_heads, T, D)
  std::vector<CacheLayer> value;                ///< the same
  std::vector<NdView<const float, 3>> query{};  ///< (n_heads, T, D); none: not captured
  CacheShape shape;                             ///< of T tokens

  std::span<const CacheLayer> of(CacheSide side) const {
    return side == CacheSide::key ? key : value;
  }
};

/// Shows a policy one cache while it grows, token by token, and gives its plans. What follows from
/// the exact values alone is taken once: the statistics of all units, of which those of the first n
/// tokens come first, so that plans depend on the capture and not on what was quantized before.
class StreamPlanner {
 public:
  /// All outlive it. Throws Error{input} about `name` where the policy asks for queries that are
  /// not there.
  struct Source {
    const CachePolicy& policy;
    CacheSide side;
    const StreamedLayers& layers;
    const StreamingParams& params;
    const std::string& name;
  };
  explicit StreamPlanner(const Source& source);

  std::span<const UnitStats> stats() const { return stats_; }
  /// The newest row of a layer's attention, (n_heads, 1, at least position + 1). Rows of a layer
  /// come in order; layers may come on several threads.
  void push(std::int64_t layer, std::int64_t position, const NdView<const float, 3>& row);
  /// For the first `n_tokens` tokens as of the newest row, which is their last one's.
  /// `rows` are the newest rows of all layers.
  Plan plan(std::int64_t n_tokens, std::span<const NdArray<float, 3>> rows);

 private:
  Source source_;
  PolicyNeeds needs_;
  std::vector<UnitStats> stats_;           // of all T tokens
  std::vector<float> errors_;              // (units of T tokens, kBitChoices), or empty
  std::vector<NdArray<double, 2>> norms_;  // by layer: (n_heads, T), or empty
  std::optional<RunningImportance> importance_;
};

}  // namespace qaq
