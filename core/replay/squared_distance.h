#pragma once

#include <cassert>
#include <cstddef>
#include <span>

namespace qaq {

/// Sum of (a - b)^2, each term and the sum in float64.
inline double squared_distance(std::span<const float> a, std::span<const float> b) {
  assert(a.size() == b.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    sum += difference * difference;
  }
  return sum;
}

}  // namespace qaq
