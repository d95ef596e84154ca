#pragma once

#include <vector>

#include "core/analysis/selection_set.h"
#include "core/analysis/violations.h"
#include "core/base/progress.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// Of tokens, by position, for the slices that analyses make.
struct TokenTraits {
  /// (T): share of the attention of the newest captured rows that the token takes, the mean over
  /// those kRecentRows rows (or as many as there are), all captured layers and query heads; rows
  /// before the token count as 0. Empty where the capture has no attention.
  std::vector<double> attention;
  /// (T): how far the token's numbers reach out: the largest |x| of its channels, over the median
  /// of that among all tokens of the layer and KV head; the mean over layers and heads, of keys or
  /// of values, whichever is larger.
  std::vector<double> reach;

  static constexpr std::int64_t kRecentRows = 64;
};
TokenTraits token_traits(const CaptureView& capture, const Work& work = {});

/// What the slices below depend on besides the traits. None may be null but `violations`.
struct AutoSliceInputs {
  const CaptureInfo* info = nullptr;
  const TokenTraits* traits = nullptr;
  const ViolationReport* violations = nullptr;
  double violation_ratio = 0;
  std::int64_t prefix = 0;
  std::int64_t forced = 0;  ///< newest tokens of the prefix that get n_bits_max by rule
};

/// Slices of tokens, in every layer and KV head; those without tokens are left out:
///
///   sinks            token 0 where it takes most attention, and every other that takes at least
///                    kSinkShare of it (TokenTraits::attention)
///   violations       tokens whose importance jumped, at any step, in any layer and head
///   newest           tokens that get n_bits_max by rule
///   outlier tokens   tokens that reach at least kOutlierReach times as far as the median token
///   punctuation      tokens of ASCII and general punctuation alone, but for spaces
inline constexpr double kSinkShare = 0.1;
inline constexpr double kOutlierReach = 2;
std::vector<NamedSlice> auto_slices(const AutoSliceInputs& inputs);

}  // namespace qaq
