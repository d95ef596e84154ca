#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/rank_correlation.h"
#include "core/analysis/violations.h"
#include "core/base/progress.h"
#include "core/replay/replay.h"
#include "core/replay/run_mode.h"

namespace qaq {

/// What quantizing each KV head alone did.
struct HeadDamage {
  std::string name;  ///< "output_error", "kl"
  std::string what;  ///< one line
  std::string unit;  ///< "1": dimensionless
  RunMode mode = RunMode::batch;
  NdArray<double, 2> of_head;  ///< (n_layers, n_kv_heads)
};

/// Statistics of heads before they are quantized beside what quantizing them did: which of them
/// warns. Heads are counted layer * n_kv_heads + kv_head, layers the captured ones.
struct Risk {
  std::vector<std::int32_t> layers;  ///< of the model
  std::int64_t n_kv_heads = 0;
  std::int64_t prefix = 0;        ///< tokens that were quantized, and that statistics are of
  bool in_sample = false;         ///< damage is of rows inside the prefix
  NdArray<double, 3> statistics;  ///< see measure_heads()
  std::vector<HeadDamage> damages;
  /// By damage and statistic, over all heads; nothing where a statistic is unknown, or the same for
  /// all.
  std::vector<std::vector<std::optional<RankCorrelation>>> correlations;

  std::int64_t n_heads() const { return std::ssize(layers) * n_kv_heads; }
  /// All heads by a statistic, the riskiest first; equal ones as they are counted. Throws
  /// Error{usage} where the capture does not tell it.
  std::vector<std::int64_t> ranked_by(std::size_t statistic) const;
};

/// The statistics of a capture's heads, and `output_error`: the mean over replayed rows and query
/// heads of the squared error of outputs, mean over channels. Outputs of a head follow from its own
/// keys and values alone, so that this is what it would be with all other heads exact. Throws as
/// replay() does, and Error{input} where the capture lacks queries or attention.
Risk assess_risk(const CaptureView& capture, const ReplayOptions& options,
                 const ViolationParams& violation, const Work& work);

/// Adds a damage and its correlations.
void add_damage(Risk& risk, HeadDamage damage);
/// The damage that head_kl() measures.
HeadDamage kl_damage(NdArray<double, 2> of_head);

/// What a correlation says of a warning, where the largest (or the smallest) statistic is to be the
/// riskiest: "predicts", "no better than chance", "predicts the opposite", "says nothing".
std::string verdict_on(const std::optional<RankCorrelation>& correlation, bool low_is_risky);

}  // namespace qaq
