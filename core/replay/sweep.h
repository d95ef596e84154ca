#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/replay/replayer.h"

namespace qaq {

struct SweepOptions {
  std::int64_t prefix = 0;   ///< tokens to quantize; 0: all
  std::int64_t n_rows = 64;  ///< newest replayed rows that scores and outputs are compared in
};

/// Replays one capture under many settings. What it needs of the capture is read once and stays in
/// memory: keys, values, and the queries' and scores' newest rows. Settings that share units and
/// outliers share their statistics. Same settings, same results, in whatever company.
class Sweeper {
 public:
  /// Errors as replay().
  Sweeper(const CaptureView& capture, const SweepOptions& options, const Work& work = {});

  /// What replay() gives, in order, without the maps (bits, outliers, errors are empty): the errors
  /// of scores and outputs are means over the newest n_rows rows that replay() compares. In parallel
  /// over settings; a hundred at a time are as fast as all.
  std::vector<SharedReplay> run(std::span<const QaqParams> settings, const Work& work = {});

 private:
  struct Layer {
    SharedArray<float, 3> key, value, query, scores;
    NdArray<float, 3> output;  ///< X = S V of the compared rows
  };
  struct Run;
  void measure(std::int64_t layer, Run& run) const;
  std::span<const std::int32_t> positions() const;

  const CaptureView& capture_;
  Replayer replayer_;
  std::int64_t prefix_ = 0;
  std::int64_t first_row_ = 0;  ///< among the captured attention rows
  bool compares_rows_ = false;
  bool in_sample_ = false;
  std::vector<Layer> layers_;
};

}  // namespace qaq
