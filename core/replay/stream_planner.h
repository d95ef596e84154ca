#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/policy/cache_policy.h"
#include "core/policy/running_importance.h"
#include "core/quant/unit_values.h"
#include "core/replay/streaming_params.h"

namespace qaq {

/// Exact numbers in memory, as they are streamed: one view a layer. A capture's are all there; a
/// model's come token by token.
struct StreamedLayers {
  std::vector<CacheLayer> key;                  ///< (n_kv_heads, T, D)
  std::vector<CacheLayer> value;                ///< the same
  std::vector<NdView<const float, 3>> query{};  ///< (n_heads, T, D); none: not captured
  CacheShape shape;                             ///< of T tokens

  std::span<const CacheLayer> of(CacheSide side) const {
    return side == CacheSide::key ? key : value;
  }
};

/// How importance follows from rows: as the policy asks for, or by params.importance in its place.
/// Nothing where the policy asks for none.
std::optional<ImportanceOptions> streamed_importance(const PolicyNeeds& needs,
                                                     const StreamingParams& params);
/// The policy's parameters where importance follows `params`: beside window_max, no rule has a
/// window that a token could be too young for, so last_n_attentions is 1.
QaqParams planning_params(const QaqParams& policy, const StreamingParams& params);
/// What plans a growing cache: QAQ with its planning_params(), by `qaq` where `policy` is null, or
/// `policy`. Throws Error{usage} where a policy that is not QAQ alone is to follow another
/// importance than the paper's.
std::shared_ptr<const CachePolicy> planning_policy(const std::shared_ptr<const CachePolicy>& policy,
                                                   const QaqParams& qaq,
                                                   const StreamingParams& params);
/// The first position whose row of attention a prompt of `prefill` tokens is planned by.
std::int64_t first_row_needed(const CachePolicy& policy, const StreamingParams& params,
                              std::int64_t prefill);

/// Shows a policy one cache while it grows, token by token, and gives its plans. What follows from
/// the exact values alone is taken once: the statistics of all units, of which those of the first n
/// tokens come first, so that plans depend on exact numbers and not on what was quantized before.
class StreamPlanner {
 public:
  /// All outlive it; the layers' shape has room for T tokens. Throws Error{input} about `name`
  /// where the policy asks for queries that are not there.
  struct Source {
    const CachePolicy& policy;
    CacheSide side;
    const StreamedLayers& layers;
    const StreamingParams& params;
    const std::string& name;
  };
  explicit StreamPlanner(const Source& source);

  /// Of all T tokens; those of tokens that were appended are filled.
  std::span<const UnitStats> stats() const { return stats_; }
  /// Numbers of tokens [first, end) are there now; tokens come in order.
  void append(std::int64_t first, std::int64_t end);
  /// The newest row of a layer's attention, (n_heads, 1, at least position + 1). Rows of a layer
  /// come in order; layers may come on several threads.
  void push(std::int64_t layer, std::int64_t position, const NdView<const float, 3>& row);
  /// For the first `n_tokens` tokens, which were appended, as of the newest row, which is their
  /// last one's. `rows` are the newest rows of all layers; `kept` what is left (n_layers,
  /// n_kv_heads, n_tokens), null where nothing is evicted.
  Plan plan(std::int64_t n_tokens, std::span<const NdArray<float, 3>> rows,
            const SharedArray<std::uint8_t, 3>& kept = nullptr);

 private:
  Source source_;
  PolicyNeeds needs_;
  std::vector<UnitStats> stats_;           // of all T tokens
  std::vector<float> errors_;              // (units of T tokens, kBitChoices), or empty
  std::vector<NdArray<double, 2>> norms_;  // by layer: (n_heads, T), or empty
  std::optional<RunningImportance> importance_;
};

}  // namespace qaq
