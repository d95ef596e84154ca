#include "core/analysis/heatmap_tile.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "core/analysis/heatmap_pyramid.h"
#include "core/base/parallel.h"

namespace qaq {
namespace {

// With fewer rows a pixel, or fewer cells in all, reading the cells is as fast.
constexpr double kManyRows = 8;
constexpr double kManyCells = 1 << 20;
constexpr std::int64_t kLinesTogether = 8;  // of pixels, in one piece of work

/// The cells of one axis that each pixel touches.
std::vector<CellRange> cell_ranges(double begin, double end, std::int64_t n_pixels,
                                   std::int64_t n_cells) {
  // An edge this close to a cell's border is that border, so that rounding does not make a pixel
  // touch its neighbour's cell.
  constexpr double kSlack = 1e-6;
  const auto inside = [&](double cell) {
    return static_cast<std::int64_t>(std::clamp(cell, 0.0, static_cast<double>(n_cells)));
  };
  std::vector<CellRange> ranges;
  ranges.reserve(static_cast<std::size_t>(n_pixels));
  const double step = (end - begin) / static_cast<double>(n_pixels);
  for (std::int64_t pixel = 0; pixel < n_pixels; ++pixel) {
    const double a = begin + static_cast<double>(pixel) * step, b = a + step;
    const double first = std::floor(a + std::min(kSlack, step / 2));
    const double last = std::ceil(b - std::min(kSlack, step / 2));
    ranges.push_back({inside(first), inside(last)});
  }
  return ranges;
}

/// The columns that any of the ranges has.
CellRange hull(const std::vector<CellRange>& ranges) {
  CellRange all{0, 0};
  for (const CellRange& range : ranges) {
    if (range.size() <= 0) continue;
    all = all.size() == 0
              ? range
              : CellRange{std::min(all.first, range.first), std::max(all.last, range.last)};
  }
  return all;
}

/// What a pixel without a value says: evicted if any of its cells is, else absent if any is, else
/// impossible.
template <class T>
float without_value(const Heatmap& map, const CellRange& rows, const CellRange& columns) {
  const auto& cells = std::get<NdView<const T, 2>>(map.cells());
  float out = Heatmap::kImpossible;
  for (std::int64_t row = rows.first; row < rows.last; ++row) {
    const Heatmap::Columns possible = map.possible(row);
    const std::int64_t end = std::min<std::int64_t>(columns.last, possible.end);
    for (auto c = std::max<std::int64_t>(columns.first, possible.begin); c < end; ++c) {
      if (value_or_code(cells(row, c)) != Heatmap::kAbsent) continue;
      if (map.is_marked(row, c)) return Heatmap::kEvicted;
      if (!map.has_evicted()) return Heatmap::kAbsent;
      out = Heatmap::kAbsent;
    }
  }
  return out;
}

/// Columns that can exist in any of the rows.
CellRange possible_in(const Heatmap& map, const CellRange& rows) {
  CellRange all{map.columns(), 0};
  for (std::int64_t row = rows.first; row < rows.last; ++row) {
    const Heatmap::Columns possible = map.possible(row);
    all = {std::min<std::int64_t>(all.first, possible.begin),
           std::max<std::int64_t>(all.last, possible.end)};
  }
  return all;
}

template <class T, Reducer kReducer>
class Reduction {
 public:
  Reduction(const Heatmap& map, std::vector<CellRange> columns,
            const HeatmapPyramid<T, kReducer>* pyramid)
      : map_(map), ranges_(std::move(columns)), columns_(hull(ranges_)), pyramid_(pyramid) {}

  /// One line of pixels; `line` is scratch.
  void pixels(const CellRange& rows, HeatmapLine<T, kReducer>& line, std::span<float> out) const {
    std::fill(out.begin(), out.end(), Heatmap::kImpossible);
    if (rows.size() <= 0 || columns_.size() == 0) return;
    line.clear(columns_.size());
    const auto add = [&](std::int64_t row) { add_row(map_, row, columns_, line); };
    if (pyramid_) {
      pyramid_->split(rows, add, [&](const auto& merged) { line.add(merged, columns_.first); });
    } else {
      for (std::int64_t row = rows.first; row < rows.last; ++row) add(row);
    }
    line.pixels(ranges_, columns_.first, out.data());
    const CellRange possible = possible_in(map_, rows);
    for (std::size_t x = 0; x < out.size(); ++x) {
      if (out[x] != Heatmap::kAbsent) continue;
      const CellRange& range = ranges_[x];
      const bool outside = range.first >= possible.last || range.last <= possible.first;
      out[x] = outside ? Heatmap::kImpossible : without_value<T>(map_, rows, range);
    }
  }

 private:
  const Heatmap& map_;
  const std::vector<CellRange> ranges_;  ///< of each pixel
  const CellRange columns_;              ///< all of them
  const HeatmapPyramid<T, kReducer>* pyramid_;
};

template <class T, Reducer kReducer>
void reduce_into(const Heatmap& map, const TileSpec& spec, bool by_pyramid, HeatmapTile& tile) {
  std::shared_ptr<const HeatmapPyramid<T, kReducer>> pyramid;
  if (by_pyramid) pyramid = map.pyramids().get<T, kReducer>(map);
  const Reduction<T, kReducer> reduction(
      map, cell_ranges(spec.area.left, spec.area.right, spec.width, map.columns()), pyramid.get());
  const auto rows = cell_ranges(spec.area.top, spec.area.bottom, spec.height, map.rows());

  const std::int64_t n_pieces = (spec.height + kLinesTogether - 1) / kLinesTogether;
  parallel_for(n_pieces, [&](std::int64_t piece) {
    HeatmapLine<T, kReducer> scratch;
    const std::int64_t first = piece * kLinesTogether;
    const std::int64_t last = std::min(first + kLinesTogether, spec.height);
    for (std::int64_t y = first; y < last; ++y) {
      const auto line = tile.pixels.sub(y).span();
      const auto i = static_cast<std::size_t>(y);
      // Zoomed in, many lines of pixels show the same cells.
      if (y > first && rows[i] == rows[i - 1]) {
        std::copy_n(tile.pixels.sub(y - 1).data(), line.size(), line.begin());
      } else {
        reduction.pixels(rows[i], scratch, line);
      }
    }
  });
}

bool worth_a_pyramid(const Heatmap& map, const TileSpec& spec, double rows_per_pixel) {
  const CellRect& area = spec.area;
  const double columns =
      std::min(area.right, static_cast<double>(map.columns())) - std::max(area.left, 0.0);
  const double rows =
      std::min(area.bottom, static_cast<double>(map.rows())) - std::max(area.top, 0.0);
  return rows_per_pixel >= kManyRows && columns * rows >= kManyCells &&
         map.pyramids().asked_again(spec.reducer);
}

}  // namespace

HeatmapTile reduce(const Heatmap& map, const TileSpec& spec, Reading reading) {
  const CellRect& area = spec.area;
  assert(spec.width > 0 && spec.height > 0 && area.right > area.left && area.bottom > area.top);
  HeatmapTile tile;
  tile.pixels = NdArray<float, 2>({spec.height, spec.width});
  tile.cells_per_pixel_x = (area.right - area.left) / static_cast<double>(spec.width);
  tile.cells_per_pixel_y = (area.bottom - area.top) / static_cast<double>(spec.height);
  const bool by_pyramid = reading == Reading::automatic
                              ? worth_a_pyramid(map, spec, tile.cells_per_pixel_y)
                              : reading == Reading::pyramid;
  std::visit(
      [&]<class T>(const NdView<const T, 2>&) {
        switch (spec.reducer) {
          case Reducer::max:
            return reduce_into<T, Reducer::max>(map, spec, by_pyramid, tile);
          case Reducer::min:
            return reduce_into<T, Reducer::min>(map, spec, by_pyramid, tile);
          case Reducer::mean:
            return reduce_into<T, Reducer::mean>(map, spec, by_pyramid, tile);
          case Reducer::farthest:
            return reduce_into<T, Reducer::farthest>(map, spec, by_pyramid, tile);
        }
      },
      map.cells());
  return tile;
}

std::optional<float> largest_value(const Heatmap& map) {
  if (map.rows() == 0 || map.columns() == 0) return std::nullopt;
  // The map in one pixel.
  const float largest = reduce(map, {Reducer::max, map.area()}, Reading::cells).pixels(0, 0);
  if (!Heatmap::is_value(largest)) return std::nullopt;
  return largest;
}

}  // namespace qaq
