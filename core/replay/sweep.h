#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/replay/cpu_replay.h"
#include "core/replay/planner.h"
#include "core/replay/replay_result.h"

namespace qaq {

struct SweepOptions {
  std::int64_t prefix = 0;   ///< tokens to quantize; 0: all
  std::int64_t n_rows = 32;  ///< newest rows that scores and outputs are compared in; 0: none
};

/// Replays one capture under many settings. What it needs of the capture is read once and kept
/// where it is computed: keys, values, and queries and scores of the compared rows. Settings that
/// share units and outliers share their statistics; every layer is measured under all settings
/// while it is near. Same settings, same results, in whatever company and on however many threads.
class Sweeper {
 public:
  /// The capture outlives it; errors are measured where `open` opens it. Errors as replay().
  Sweeper(const CaptureView& capture, const SweepOptions& options, const Work& work = {},
          const OpenReplay& open = open_cpu_replay);

  std::int64_t prefix() const { return scope_.prefix; }
  /// Rows that scores and outputs are compared in; 0 where the capture has none to compare.
  std::int64_t n_rows() const { return scope_.n_rows; }

  /// What replay() gives, in order, without the maps (bits, outliers and errors of cells are
  /// empty); errors of scores and outputs are means over the compared rows, which are the newest of
  /// those that replay() compares. Errors as replay().
  std::vector<SharedReplay> run(std::span<const std::shared_ptr<const CachePolicy>> settings,
                                const Work& work = {});
  std::vector<SharedReplay> run(std::span<const QaqParams> settings, const Work& work = {});

 private:
  struct Sums;
  PlannedCaches planned(const CachePolicy& policy, const Work& work);
  SharedReplay result_of(const CachePolicy& policy, const PlannedCaches& plans,
                         const Sums& sums) const;

  const CaptureView& capture_;
  ReplayScope scope_;
  std::unique_ptr<ReplayKernel> kernel_;
  std::map<std::string, Planner> planners_;  ///< by what their statistics depend on
};

}  // namespace qaq
