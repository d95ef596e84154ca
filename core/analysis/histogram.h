#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor/nd_array.h"

namespace qaq {

/// Numbers counted in equal bins from -edge to edge; what lies beyond is counted apart.
class Histogram {
 public:
  /// `tail` is the magnitude above which numbers are counted as the tail. edge > 0.
  Histogram(std::int64_t n_bins, double edge, double tail);

  void add(double x);

  std::int64_t n_bins() const { return static_cast<std::int64_t>(counts_.size()); }
  std::int64_t count(std::int64_t bin) const { return counts_[static_cast<std::size_t>(bin)]; }
  const std::vector<std::int64_t>& counts() const { return counts_; }
  double edge() const { return edge_; }
  double width() const { return 2 * edge_ / static_cast<double>(n_bins()); }
  double centre(std::int64_t bin) const {
    return -edge_ + 2 * edge_ * (static_cast<double>(bin) + 0.5) / static_cast<double>(n_bins());
  }
  /// Share of all numbers in the bin, over its width; 0 where there are none.
  double density(std::int64_t bin) const;
  std::int64_t n() const { return n_; }            ///< all numbers, those beyond among them
  std::int64_t n_below() const { return below_; }  ///< less than -edge
  std::int64_t n_above() const { return above_; }  ///< edge and more
  std::int64_t n_tail() const { return n_tail_; }
  double largest() const { return largest_; }  ///< magnitude

 private:
  std::vector<std::int64_t> counts_;
  double edge_, tail_;
  std::int64_t n_ = 0, below_ = 0, above_ = 0, n_tail_ = 0;
  double largest_ = 0;
};

/// Numbers of a cache as they are and, as figure 2c of the paper has them, in standard deviations
/// of their unit: a token's row of one layer and KV head, whose mean is taken off. A unit without a
/// spread has none of the latter.
struct UnitHistograms {
  Histogram raw, scaled;
  std::int64_t n_flat = 0;  ///< units without a spread

  /// `head` is (n_tokens, head_dim), all of it one layer's KV head.
  void add(NdView<const float, 2> head);
};

}  // namespace qaq
