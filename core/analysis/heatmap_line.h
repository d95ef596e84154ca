#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/analysis/heatmap_cells.h"

namespace qaq {

/// Cells [first, last) of one axis; empty where a pixel lies outside the map.
struct CellRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t size() const { return last - first; }
  bool operator==(const CellRange&) const = default;
};

/// Several rows of a map merged into one line, column by column, then columns into pixels. Loops
/// over columns have no branches, so that they become vectors; each row is read once, in order.
///
/// A line is also what a pyramid keeps of a group of rows.
template <class T, Reducer kReducer>
class HeatmapLine {
  using E = Extreme<T, kReducer>;
  using Merged = typename E::Merged;

 public:
  /// `n` columns, of no rows yet.
  void clear(std::int64_t n) { merged_.assign(static_cast<std::size_t>(n), E::none()); }

  /// Merges cells into columns [at, at + n).
  void add(const T* cells, std::int64_t at, std::int64_t n) {
    Merged* const to = merged_.data() + at;
    for (std::int64_t i = 0; i < n; ++i) to[i] = E::join(to[i], E::of(cells[i]));
  }

  /// Merges columns [from, from + the length of this line) of another.
  void add(const HeatmapLine& line, std::int64_t from) {
    Merged* const to = merged_.data();
    const Merged* const other = line.merged_.data() + from;
    const auto n = static_cast<std::int64_t>(merged_.size());
    for (std::int64_t i = 0; i < n; ++i) to[i] = E::join(to[i], other[i]);
  }

  /// Of each range of columns (ascending) its value, or Heatmap::kAbsent where there is none. The
  /// line is used up.
  void pixels(const std::vector<CellRange>& columns, std::int64_t first, float* out) {
    // After k steps a column stands for the 2^k from it on, and two of them, which may overlap,
    // make a pixel: an extreme does not mind what it sees twice.
    std::int64_t widest = 0;
    for (const CellRange& range : columns) widest = std::max(widest, range.size());
    std::int64_t step = 1;
    while (2 * step < widest - 1) step *= 2;
    const auto loop = [&](std::size_t x, std::int64_t stride) {
      const std::int64_t begin = columns[x].first - first, last = columns[x].last - first - stride;
      Merged merged = merged_[static_cast<std::size_t>(last)];
      for (std::int64_t i = begin; i < last; i += stride) {
        merged = E::join(merged, merged_[static_cast<std::size_t>(i)]);
      }
      out[x] = merged == E::none() ? Heatmap::kAbsent : E::value(merged);
    };
    for (std::size_t x = 0; x < columns.size(); ++x) {
      const std::int64_t n = columns[x].size();
      if (n > 0 && n < step) loop(x, 1);  // cut by the map's border
    }
    auto n = static_cast<std::int64_t>(merged_.size());
    wider_.resize(merged_.size());
    for (std::int64_t reach = 1; reach < step; reach *= 2) {
      n -= reach;
      const Merged* const from = merged_.data();
      Merged* const to = wider_.data();
      for (std::int64_t i = 0; i < n; ++i) to[i] = E::join(from[i], from[i + reach]);
      merged_.swap(wider_);
    }
    for (std::size_t x = 0; x < columns.size(); ++x) {
      if (columns[x].size() >= step) loop(x, step);
    }
  }

 private:
  std::vector<Merged> merged_;
  std::vector<Merged> wider_;  // scratch of pixels()
};

template <class T>
class HeatmapLine<T, Reducer::mean> {
 public:
  void clear(std::int64_t n) {
    sum_.assign(static_cast<std::size_t>(n), 0);
    count_.assign(static_cast<std::size_t>(n), 0);
  }

  void add(const T* cells, std::int64_t at, std::int64_t n) {
    double* const sum = sum_.data() + at;
    std::uint32_t* const count = count_.data() + at;
    for (std::int64_t i = 0; i < n; ++i) {
      const bool is_value = counts(cells[i]);
      sum[i] += is_value ? number(cells[i]) : 0.0f;
      count[i] += is_value ? 1u : 0u;
    }
  }

  void add(const HeatmapLine& line, std::int64_t from) {
    const auto n = static_cast<std::int64_t>(sum_.size());
    for (std::int64_t i = 0; i < n; ++i) {
      sum_[static_cast<std::size_t>(i)] += line.sum_[static_cast<std::size_t>(from + i)];
      count_[static_cast<std::size_t>(i)] += line.count_[static_cast<std::size_t>(from + i)];
    }
  }

  void pixels(const std::vector<CellRange>& columns, std::int64_t first, float* out) {
    for (std::size_t x = 0; x < columns.size(); ++x) {
      double sum = 0;
      std::uint64_t count = 0;
      for (std::int64_t i = columns[x].first - first; i < columns[x].last - first; ++i) {
        sum += sum_[static_cast<std::size_t>(i)];
        count += count_[static_cast<std::size_t>(i)];
      }
      out[x] = count == 0 ? Heatmap::kAbsent : static_cast<float>(sum / static_cast<double>(count));
    }
  }

 private:
  std::vector<double> sum_;
  std::vector<std::uint32_t> count_;
};

}  // namespace qaq
