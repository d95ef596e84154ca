#pragma once

#include <cstdint>
#include <vector>

#include "core/replay/bound_check.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Squared errors of some rows, (n_rows, width): of the score that each key gets, or of each
/// channel of the output. With many draws their mean.
using SquaredErrors = NdArray<double, 2>;

/// What rows achieved, in sums that can be added up piece by piece, in a fixed order.
class AchievedSums {
 public:
  /// Adds rows whose error is the root of sum / divisor. `entries_apart`: each entry stands for
  /// itself; else entries of one column are averaged over rows.
  void add(const SquaredErrors& errors, double divisor, double e, bool entries_apart);
  void add(const AchievedSums& other);
  Achieved achieved() const;

 private:
  std::int64_t n_rows_ = 0;
  std::int64_t n_over_ = 0;
  double squares_ = 0;
  double largest_entry_ = 0;     // squared, of entries that stand apart
  std::vector<double> columns_;  // squared, summed over rows
};

/// The error of one row: the root of its squares over the divisor.
double row_error(const SquaredErrors& errors, std::int64_t row, double divisor);

}  // namespace qaq
