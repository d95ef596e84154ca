#include "core/analysis/log_bins.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>

namespace qaq {
namespace {

// Numbers that agree in sign, exponent and this many bits of the mantissa differ by less than a
// bin, so that at most one edge lies between them.
constexpr int kMantissaBits = 6;
constexpr int kLowBits = 23 - kMantissaBits;

}  // namespace

std::size_t LogBins::high_bits(float value) {
  return std::bit_cast<std::uint32_t>(value) >> kLowBits;
}

LogBins::LogBins(int first_decade, int last_decade) : first_(first_decade), last_(last_decade) {
  assert(first_decade < last_decade);
  for (int i = 0; i < size(); ++i) edges_.push_back(static_cast<float>(edge(i)));
  edges_.front() = 0;
  edges_.push_back(std::numeric_limits<float>::quiet_NaN());
  const std::size_t n = high_bits(std::numeric_limits<float>::infinity()) + 1;
  for (std::size_t high = 0; high < n; ++high) {
    const auto smallest = std::bit_cast<float>(static_cast<std::uint32_t>(high << kLowBits));
    const auto above = std::upper_bound(edges_.begin(), edges_.end() - 1, smallest);
    lowest_.push_back(static_cast<std::int16_t>(above - edges_.begin() - 1));
  }
}

double LogBins::edge(int i) const {
  return std::pow(10.0, first_ + static_cast<double>(i) / kADecade);
}

double LogBins::place(double value) const {
  if (!(value > 0)) return 0;
  return std::clamp(kADecade * (std::log10(value) - first_), 0.0, static_cast<double>(size()));
}

}  // namespace qaq
