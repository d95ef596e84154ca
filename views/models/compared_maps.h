#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "core/analysis/difference_map.h"
#include "core/base/parameters.h"
#include "views/models/analysis.h"

namespace qaq::views {

/// Of what two maps are held against each other.
enum class CompareOf { bits, magnitude, attention };

/// Maps of A and B and their difference. Immutable.
struct ComparedMaps {
  SharedSlice slice;  ///< of B, with A
  CompareOf of = CompareOf::bits;
  SharedHeatmap a, b;        ///< null: there is none
  SharedHeatmap difference;  ///< null: refused, or one of the two is missing
  DifferenceCounts counts;   ///< of the difference
  double largest = 0;        ///< of both: they have one range
};
using SharedComparedMaps = std::shared_ptr<const ComparedMaps>;

/// `slice` is held against something. The difference is of the tokens that both begin with.
SharedComparedMaps loadComparedMaps(const SharedSlice& slice, CompareOf of);

}  // namespace qaq::views

namespace qaq {

template <>
struct ChoiceNames<views::CompareOf> {
  static constexpr std::array<std::string_view, 3> names{"bits", "magnitude", "attention"};
};

}  // namespace qaq
