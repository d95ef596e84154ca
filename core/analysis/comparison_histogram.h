#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/analysis/alignment.h"
#include "core/analysis/chart.h"
#include "core/analysis/table.h"
#include "core/base/progress.h"
#include "core/replay/cache_replay.h"
#include "core/replay/replay.h"

namespace qaq {

/// A capture under a setting, whose numbers are counted as that leaves them.
struct CountedRun {
  std::string name;
  std::shared_ptr<const CaptureView> capture;
  ReplayOptions options{};
};

/// The KV head whose numbers are counted.
struct CountedHead {
  CacheSide side = CacheSide::value;
  std::int32_t layer = 0;  ///< of the model
  std::int64_t kv_head = 0;
};

/// How the numbers of one KV head lie under A and under B: both counted in the same bins, over the
/// tokens that both quantize, A solid and B broken. `alignment` of both captures allows it. Without
/// points, and with a note, where one of the two holds no such layer. Throws what replay() throws.
Chart comparison_histogram(const CountedRun& a, const CountedRun& b, const Alignment& alignment,
                           const CountedHead& head, const Work& work = {});
/// A row a bin of such a chart.
Table comparison_histogram_table(const Chart& chart);

}  // namespace qaq
