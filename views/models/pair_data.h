#pragma once

#include <memory>
#include <vector>

#include "core/analysis/importance_pairs.h"
#include "views/models/analysis.h"

namespace qaq::views {

/// The query heads that a slice shows.
HeadRange headsOf(const Slice& slice, const CaptureInfo& info);

/// How importance went on, of some heads or of a whole capture. Immutable.
struct PairCounts {
  PairHistogram histogram;
  SharedHeatmap map;             ///< histogram_map()
  std::vector<Violation> jumps;  ///< the largest ratio first
};

/// What the view of persistence draws. Immutable.
struct PairData {
  SharedSlice slice;
  bool isWhole = false;                      ///< counts and jumps are of the whole capture
  std::shared_ptr<const PairCounts> counts;  ///< of the slice's heads, or of all
  std::shared_ptr<const PairMaps> pairs;     ///< of the slice's heads
  SharedHeatmap ratio;                       ///< theirs
};
using SharedPairs = std::shared_ptr<const PairData>;

/// Counts the pairs with the parameters that the slice's violations were found with. What of
/// `previous` cannot have changed is taken over. The slice has violations. Throws
/// Error{interrupted} when stopped.
SharedPairs loadPairs(const SharedSlice& slice, bool isWhole, const SharedPairs& previous,
                      const Work& work);

}  // namespace qaq::views
