#pragma once

#include <string>

#include "core/analysis/heatmap.h"
#include "core/analysis/table.h"

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

/// Two maps with tokens along their columns, and their difference.
struct MapPair {
  SharedHeatmap a, b;
  SharedHeatmap difference{};   ///< null: refused
  std::string row = "layer";    ///< what a row is
  std::int64_t n_kv_heads = 0;  ///< sub-rows of a layer; 0: none
};
/// A row a cell that one of the two has: its place, A, B, B - A.
Table map_pair_table(const MapPair& maps);

}  // namespace qaq
