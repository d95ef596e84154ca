#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "core/analysis/persistence.h"
#include "core/analysis/violations.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// The violations of one token, over all layers and heads.
struct TokenViolations {
  std::int32_t token = 0;
  std::int64_t count = 0;
  std::int32_t first_step = 0;
};

/// What section 7 of the mathematics reports of violations.
struct ViolationSummary {
  NdArray<std::int64_t, 2> per_head;    ///< (n_layers, n_heads), captured layers
  std::vector<std::int64_t> per_step;   ///< (T), by the position of the query
  std::vector<TokenViolations> tokens;  ///< those that violate, ascending
  /// Quantiles of score / window maximum; infinite where the maximum is 0. Absent without
  /// violations.
  std::optional<double> jump_ratio_p50;
  std::optional<double> jump_ratio_p99;
  /// Mean over the rows that were looked at, of all layers and heads, of the scores on violating
  /// tokens. Absent without such rows.
  std::optional<double> violated_mass;
};
ViolationSummary summarize(const ViolationReport& report, const CaptureInfo& info);

/// Of the violations whose deficit is known (see bits_deficits()).
struct DeficitSummary {
  std::int64_t count = 0;
  std::int64_t n_positive = 0;  ///< with fewer bits than the jump asks for
  double mean = 0;
  int max = 0;
  std::map<int, std::int64_t> histogram;  ///< deficit: violations
};
/// Nothing where no deficit is known.
std::optional<DeficitSummary> summarize(const std::vector<std::optional<int>>& deficits);

/// Everything about violations in one object, as `qaq replay --json` prints it; null where it was
/// not to be had, and for infinite ratios.
nlohmann::ordered_json violations_json(const ViolationReport& report, const CaptureInfo& info,
                                       const std::vector<std::optional<int>>& deficits,
                                       const std::optional<Persistence>& persistence);

}  // namespace qaq
