#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/progress.h"
#include "core/policy/cache_policy.h"
#include "core/replay/cache_replay.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// Both caches of a capture with what was decided for them.
struct PlannedCaches {
  PlannedCache key;
  PlannedCache value;
};

/// Replays one capture again and again with changing parameters. Keeps what a slider does not
/// change: the statistics of each unit (of the last level, outliers_ratio and prefix) and the
/// importance of each token (of the last window, reducer and prefix). Holds 28 bytes a unit and no
/// keys or values. One call at a time; the capture outlives it. Same options, same result, whatever
/// was asked before.
class Replayer {
 public:
  explicit Replayer(const CaptureView& capture);

  /// Bits, outliers, errors of keys and values, sizes: everything but what attention makes of it.
  /// Errors as replay().
  SharedReplay bits(const ReplayOptions& options, const Work& work = {});
  /// The same with the errors of scores and outputs.
  SharedReplay full(const ReplayOptions& options, const Work& work = {});
  /// What bits() measures, to be carried out elsewhere (quantized_layer()). Refers to what the
  /// replayer keeps: valid until its next call.
  PlannedCaches plans(const ReplayOptions& options, const Work& work = {});

 private:
  struct KnownStats {
    std::int64_t prefix = -1;
    Level level = Level::head;
    double outliers_ratio = 0;
    std::vector<UnitStats> stats;
  };
  struct KnownImportance {
    std::int64_t prefix = -1;
    std::int64_t n_rows = 0;
    GqaReduce reduce = GqaReduce::max;
    NdArray<float, 3> values;  // (n_layers, n_kv_heads, prefix)
  };

  SharedReplay run(const ReplayOptions& options, bool with_attention, const Work& work);
  PlannedCache plan(const CachePolicy& policy, CacheSide side, std::int64_t prefix,
                    const Work& work);
  std::span<const UnitStats> stats(CacheSide side, const UnitLayout& layout, double outliers_ratio,
                                   const Work& work);
  NdView<const float, 3> importance(const PolicyNeeds& needs, std::int64_t prefix,
                                    const Work& work);

  const CaptureView& capture_;
  std::array<KnownStats, 2> stats_;  // of keys, of values
  KnownImportance importance_;
};

}  // namespace qaq
