#pragma once

#include "core/analysis/heatmap.h"

namespace qaq {

/// B - A, cell by cell, of two maps whose rows and columns mean the same. Of float32, as large as
/// both: what is beyond the smaller one, or impossible in one, is impossible; absent where one is
/// absent.
Heatmap difference_map(const Heatmap& a, const Heatmap& b);

/// What a diverging colour scale centred on zero needs, and which way cells went.
struct DifferenceCounts {
  double largest = 0;  ///< of |B - A|
  std::int64_t higher = 0, lower = 0, equal = 0;
  std::int64_t total() const { return higher + lower + equal; }
};
DifferenceCounts difference_counts(const Heatmap& difference);

}  // namespace qaq
