#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/analysis/heatmap.h"
#include "core/analysis/log_bins.h"
#include "core/analysis/table.h"
#include "core/analysis/violations.h"
#include "core/base/progress.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// Some query heads of one captured layer, such as those that read one KV head.
struct HeadRange {
  std::int64_t layer_index = 0;
  std::int64_t first_head = 0;
  std::int64_t n_heads = 1;

  bool holds(const Violation& violation) const {
    return violation.layer == layer_index && violation.head >= first_head &&
           violation.head < first_head + n_heads;
  }
  friend bool operator==(const HeadRange&, const HeadRange&) = default;
};

/// What a token was worth in a window of rows against what it was worth in the row behind it. A
/// pair is a token t at a step s, each query head by itself, as find_violations() looks at them:
/// all n rows before s are stored and could see t. Its window maximum is
/// max(S_{s-n..s-1}[t]), its score S_s[t]. Both are counted in fair shares, that is times s + 1, so
/// that rows of all lengths share their axes and the floor of violations is one line: the pairs
/// above the line score = violation_ratio * window maximum and above the line score =
/// violation_floor are the violations, no others. (The maximum over several later rows would show
/// one jump in as many pairs, and no line would bound what is counted as a violation.)
struct PairHistogram {
  std::int64_t window = 0;              ///< n
  LogBins bins;                         ///< of both axes, in fair shares
  NdArray<std::int64_t, 2> pairs;       ///< (score, window maximum), both from low to high
  NdArray<std::int64_t, 2> violations;  ///< those of them that violate
  std::int64_t n_pairs = 0;
  std::int64_t n_violations = 0;
  /// Pairs with a number that lies below the axes: they count in the first bins.
  std::int64_t n_below = 0;

  double violation_share() const {
    return n_pairs == 0 ? 0.0 : static_cast<double>(n_violations) / static_cast<double>(n_pairs);
  }
};

/// Of the heads in `heads`, or of the whole capture. `default_window` as in find_violations(). The
/// axes end at the power of ten that no score exceeds, T fair shares, and begin at the largest one
/// up to 0.1 that leaves at most a twentieth of the pairs below, beside those of zeros.
PairHistogram pair_histogram(const CaptureView& capture, const std::optional<HeadRange>& heads,
                             const ViolationParams& params, int default_window,
                             const Work& work = {});

/// The counts to look at: columns are window maxima, rows scores with the highest at the top. Bins
/// without a pair are impossible.
Heatmap histogram_map(const PairHistogram& histogram);

/// One row a bin that holds pairs: its edges in fair shares, its pairs and those that violate. The
/// lower edge of a first bin is 0: it holds what is smaller, too.
Table pair_histogram_table(const PairHistogram& histogram);

/// The violations of the heads in `heads`, or all, by their ratio, largest first; where that is
/// infinite by their score. Equal ones in the report's order.
std::vector<Violation> strongest_jumps(const ViolationReport& report,
                                       const std::optional<HeadRange>& heads);

/// The pairs of some heads one by one. Of several heads each cell is that of the largest ratio
/// which is not noise; where all are noise that of the largest score.
struct PairMaps {
  /// score / window maximum: rows are steps 0..T-1, columns tokens. A pair whose score and window
  /// maximum both are at most the floor is noise and counts as 1, neither more nor less; the
  /// largest float where the maximum is 0. Above violation_ratio lie the violations, no others.
  /// Impossible where the token is too new to have a window of n rows, absent where the row or one
  /// of the n before it was not captured.
  Heatmap ratio;
  NdArray<float, 2> score;       ///< (T, T), where ratio is a value
  NdArray<float, 2> window_max;  ///< (T, T), the same
};
PairMaps pair_maps(const CaptureView& capture, const HeadRange& heads,
                   const ViolationParams& params, int default_window, const Work& work = {});

}  // namespace qaq
