#pragma once

#include <cstdint>
#include <span>

namespace qaq {

/// A share with the bounds of its 95 % interval.
struct Interval {
  double low = 0;
  double high = 0;
};

/// Wilson's score interval of n_right out of n, at 95 %; (0, 1) for n = 0.
Interval wilson_interval(std::int64_t n_right, std::int64_t n);
/// Half of the 95 % interval as the authors print it: 1.96 sqrt(a (1 - a) / n); 0 for n = 0.
double normal_half_interval(double accuracy, std::int64_t n);

/// Exact two-sided McNemar test of two settings on the same items: `only_first` items that the
/// first alone got right, `only_second` that the second did. Under chance these are binomial with p
/// = 1/2. 1 where there are none.
double mcnemar_p(std::int64_t only_first, std::int64_t only_second);

/// The 95 % interval of the mean of `values`, by the percentile bootstrap: 4,000 samples of their
/// own size, drawn with a fixed seed, so that the same values give the same interval everywhere. It
/// supposes that they are independent. (mean, mean) of one value; NaN of none.
Interval bootstrap_mean_interval(std::span<const double> values);

/// The q-quantile (0 .. 1) of ascending numbers, interpolated linearly between neighbours; NaN of
/// none.
double quantile(std::span<const double> ascending, double q);

}  // namespace qaq
