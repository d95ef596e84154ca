#pragma once

#include <cstdint>
#include <vector>

namespace qaq {

/// Bins of equal width on a logarithmic axis, from one power of ten to another. What lies beside
/// the axis counts in its first or last bin; zero and less in the first.
class LogBins {
 public:
  static constexpr int kADecade = 10;

  LogBins() = default;
  /// Bins from 10^first_decade to 10^last_decade, which is larger.
  LogBins(int first_decade, int last_decade);

  int size() const { return kADecade * (last_ - first_); }
  int first_decade() const { return first_; }
  int last_decade() const { return last_; }
  /// Where bin i begins; i = size(): where the last one ends.
  double edge(int i) const;
  /// Bin of a number, quickly.
  int index(float value) const {
    if (!(value > 0)) return 0;
    const int at = lowest_[high_bits(value)];
    return at + (value >= edges_[static_cast<std::size_t>(at) + 1] ? 1 : 0);
  }
  /// Where it lies along the axis, in bins from its beginning, 0 .. size().
  double place(double value) const;

 private:
  static std::size_t high_bits(float value);

  int first_ = 0;
  int last_ = 0;
  std::vector<float> edges_;          // behind the last bin NaN, which no number reaches
  std::vector<std::int16_t> lowest_;  // bin of the smallest number with these high bits
};

}  // namespace qaq
