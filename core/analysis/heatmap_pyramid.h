#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/analysis/heatmap_line.h"
#include "core/base/parallel.h"

namespace qaq {

/// Merges row `row` of `map` into `line`, which stands for `columns` of the map.
template <class T, Reducer kReducer>
void add_row(const Heatmap& map, std::int64_t row, const CellRange& columns,
             HeatmapLine<T, kReducer>& line) {
  const Heatmap::Columns possible = map.possible(row);
  const std::int64_t begin = std::max<std::int64_t>(columns.first, possible.begin);
  const std::int64_t end = std::min<std::int64_t>(columns.last, possible.end);
  if (begin >= end) return;
  const auto& cells = std::get<NdView<const T, 2>>(map.cells());
  line.add(cells.sub(row).data() + begin, begin - columns.first, end - begin);
}

/// Rows of a map merged in advance by one reducer: level 0 has lines of 4 rows, each further level
/// lines of 4 lines of the one before; for extremes a third of the map's memory. Columns stay
/// whole: the borders of pixels cut them anywhere, and a pixel is exactly what its cells are.
template <class T, Reducer kReducer>
class HeatmapPyramid {
 public:
  using Line = HeatmapLine<T, kReducer>;
  static constexpr std::int64_t kGroup = 4;

  explicit HeatmapPyramid(const Heatmap& map) {
    const CellRange columns{0, map.columns()};
    levels_.push_back(level(map.rows(), columns.size(), [&](std::int64_t row, Line& line) {
      add_row(map, row, columns, line);
    }));
    while (std::ssize(levels_.back()) >= kGroup) {
      const std::vector<Line>& finer = levels_.back();
      auto coarser = level(std::ssize(finer), columns.size(), [&](std::int64_t i, Line& line) {
        line.add(finer[static_cast<std::size_t>(i)], 0);
      });
      levels_.push_back(std::move(coarser));
    }
  }

  /// Calls `row(r)` and `line(l)` for as few rows and lines as rows [rows.first, rows.last) are
  /// made of.
  template <class RowBody, class LineBody>
  void split(CellRange rows, const RowBody& row, const LineBody& line) const {
    trim(rows, row);
    for (std::size_t k = 0; k < levels_.size() && rows.size() > 0; ++k) {
      const auto merged = [&](std::int64_t i) { line(levels_[k][static_cast<std::size_t>(i)]); };
      rows = {rows.first / kGroup, rows.last / kGroup};
      if (k + 1 < levels_.size()) {
        trim(rows, merged);
      } else {
        for (std::int64_t i = rows.first; i < rows.last; ++i) merged(i);
      }
    }
  }

 private:
  /// Lines of kGroup of the `n` rows (or finer lines) that `add` merges; an incomplete group has
  /// none.
  template <class Add>
  static std::vector<Line> level(std::int64_t n, std::int64_t n_columns, const Add& add) {
    std::vector<Line> lines(static_cast<std::size_t>(n / kGroup));
    parallel_for(std::ssize(lines), [&](std::int64_t i) {
      Line& line = lines[static_cast<std::size_t>(i)];
      line.clear(n_columns);
      for (std::int64_t k = 0; k < kGroup; ++k) add(i * kGroup + k, line);
    });
    return lines;
  }

  /// Takes off what does not fill a group, at both ends.
  template <class Body>
  static void trim(CellRange& range, const Body& body) {
    while (range.size() > 0 && range.first % kGroup != 0) body(range.first++);
    while (range.size() > 0 && range.last % kGroup != 0) body(--range.last);
  }

  std::vector<std::vector<Line>> levels_;
};

/// The pyramids of one map, one a reducer, made when first needed and kept with it. May be used
/// from several threads.
class HeatmapPyramids {
 public:
  /// Whether many rows of this map were asked for before: a map that is drawn once (while a slider
  /// moves) is not worth a pyramid.
  bool asked_again(Reducer reducer);

  template <class T, Reducer kReducer>
  std::shared_ptr<const HeatmapPyramid<T, kReducer>> get(const Heatmap& map) {
    using Pyramid = HeatmapPyramid<T, kReducer>;
    std::shared_ptr<const void>& made = made_[static_cast<std::size_t>(kReducer)];
    {
      const std::scoped_lock lock(mutex_);
      if (made) return std::static_pointer_cast<const Pyramid>(made);
    }
    // Not under the lock: other work may run on this thread while it waits for its helpers. Two
    // that come at once both make one, and the first is kept.
    auto pyramid = std::make_shared<const Pyramid>(map);
    const std::scoped_lock lock(mutex_);
    if (!made) made = pyramid;
    return std::static_pointer_cast<const Pyramid>(made);
  }

 private:
  std::mutex mutex_;
  std::array<bool, kReducers> asked_{};
  std::array<std::shared_ptr<const void>, kReducers> made_;  ///< HeatmapPyramid of the map's type
};

}  // namespace qaq
