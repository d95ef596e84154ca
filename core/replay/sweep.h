#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/replay/planner.h"
#include "core/replay/replay_result.h"

namespace qaq {

struct SweepOptions {
  std::int64_t prefix = 0;   ///< tokens to quantize; 0: all
  std::int64_t n_rows = 32;  ///< newest rows that scores and outputs are compared in; 0: none
};

/// Replays one capture under many settings. What it needs of the capture is read once and stays in
/// memory: keys, values, and queries and scores of the compared rows. Settings that share units and
/// outliers share their statistics; every layer is quantized for all settings while it lies in the
/// caches. Same settings, same results, in whatever company and on however many threads.
class Sweeper {
 public:
  /// The capture outlives it. Errors as replay().
  Sweeper(const CaptureView& capture, const SweepOptions& options, const Work& work = {});

  std::int64_t prefix() const { return prefix_; }
  /// Rows that scores and outputs are compared in; 0 where the capture has none to compare.
  std::int64_t n_rows() const { return n_rows_; }

  /// What replay() gives, in order, without the maps (bits, outliers and errors of cells are
  /// empty); errors of scores and outputs are means over the compared rows, which are the newest of
  /// those that replay() compares. Errors as replay().
  std::vector<SharedReplay> run(std::span<const QaqParams> settings, const Work& work = {});

 private:
  struct Layer {
    SharedArray<float, 3> key, value, query, scores;
    NdArray<float, 3> output;  ///< X = S V of the compared rows
  };
  struct Setting;
  Planner& planner_for(const QaqParams& params);
  Setting planned(const QaqParams& params, const Work& work);
  void measure(std::int64_t layer, Setting& setting) const;
  SharedReplay result_of(const Setting& setting) const;
  std::span<const std::int32_t> positions() const;

  const CaptureView& capture_;
  std::int64_t prefix_ = 0;
  std::int64_t n_rows_ = 0;
  std::vector<Layer> layers_;
  std::map<std::string, Planner> planners_;  ///< by what their statistics depend on
};

}  // namespace qaq
