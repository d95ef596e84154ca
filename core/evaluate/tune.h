#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/parameter_grid.h"
#include "core/base/progress.h"
#include "core/policy/qaq_params.h"

namespace qaq {

/// What tuning knows of a measured setting.
struct TuneFigures {
  double ratio = 0;  ///< compression; larger is cheaper
  double loss = 0;   ///< whatever is to be small
};

/// The least compression or the largest loss that is asked for. Under a limit of the loss the
/// cheapest setting is the best, under one of the ratio that of the least loss.
struct TuneTarget {
  bool limits_ratio = false;
  double limit = 0;

  bool met_by(const TuneFigures& figures) const;
  /// By what the target leaves open; equals by what it limits. Holds for figures that meet it.
  bool better(const TuneFigures& a, const TuneFigures& b) const;
  /// Whether a lies nearer to a target that neither meets.
  bool nearer(const TuneFigures& a, const TuneFigures& b) const;
};

/// Error targets that are tried of every setting of the grid, whatever comes of them: from the
/// first to the last, evenly in the logarithm. Then the stretch is halved in which the target is
/// lost, kTuneSteps times unless told otherwise.
inline constexpr double kTuneFirstError = 1e-3;
inline constexpr double kTuneLastError = 1e3;
inline constexpr int kTuneScan = 5;
inline constexpr int kTuneSteps = 5;

struct TuneOptions {
  QaqParams fixed;                       ///< what the grid leaves alone
  std::vector<std::string> fixed_names;  ///< as in --set; the grid does not touch them
  TuneTarget target;
  int n_steps = kTuneSteps;
};

struct TuneTrial {
  QaqParams params;
  TuneFigures figures;
};

struct TuneResult {
  std::vector<TuneTrial> trials;  ///< as they were measured
  std::size_t best = 0;           ///< of trials; where none meets the target, the nearest to it
  bool met = false;
};

/// Figures of settings, one each, in order. Called with one setting of every part of the grid that
/// is still of interest, so that what they share is done once.
using MeasureSettings = std::function<std::vector<TuneFigures>(std::span<const QaqParams>)>;

/// The grid beside the error target: every value of the axes that `fixed_names` do not name (where
/// they name one cache's parameter, the other's alone).
ParameterGrid tune_grid(const std::vector<std::string>& fixed_names);

/// Finds the best setting that meets the target among a small grid and all error targets: for each
/// setting of the grid a scan, then bisection over the logarithm of target_quantization_error, of
/// both caches where neither is fixed. Larger errors give fewer bits and so larger ratios and
/// losses, but only mostly: what is best is chosen among all that was measured, and a scan that the
/// target cuts several times is halved at the cut that promises most. A stretch whose ends have the
/// same figures is flat and not halved, nor is one whose better end is no better than what was
/// found. Error targets have three digits, so that they read well.
/// Throws Error{usage} where the fixed parameters leave nothing to look for, or contradict each
/// other; Error{interrupted}; what `measure` throws. Progress in trials, at most.
TuneResult tune(const TuneOptions& options, const MeasureSettings& measure, const Work& work = {});

}  // namespace qaq
