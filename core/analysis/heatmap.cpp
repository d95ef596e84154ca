#include "core/analysis/heatmap.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/parallel.h"

namespace qaq {
namespace {

/// Cells [first, last) of one axis that a pixel touches; empty where it lies outside the map.
struct CellRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool operator==(const CellRange&) const = default;
};

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

/// Merges cells by one reducer. Values are kept apart from absent and impossible cells, which only
/// show where there is no value.
template <Reducer kReducer>
struct Merge {
  static constexpr float start() {
    if constexpr (kReducer == Reducer::max) return -std::numeric_limits<float>::infinity();
    if constexpr (kReducer == Reducer::min) return std::numeric_limits<float>::infinity();
    return 0;
  }
  static float join(float a, float b) {
    if constexpr (kReducer == Reducer::max) return b > a ? b : a;
    if constexpr (kReducer == Reducer::min) return b < a ? b : a;
    return a + b;
  }

  // A line of merged columns, as separate arrays so that the loop over columns is one of vectors.
  std::vector<float> value, special;
  std::vector<float> count;  // of values

  explicit Merge(std::size_t n)
      : value(n, start()), special(n, Heatmap::kImpossible), count(n, 0) {}

  void add(const float* cells) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const float cell = cells[i];
      const bool is_value = cell > Heatmap::kAbsent;
      value[i] = join(value[i], is_value ? cell : start());
      special[i] = !is_value && cell > special[i] ? cell : special[i];
      count[i] += is_value ? 1.0f : 0.0f;
    }
  }

  float pixel(std::size_t first, std::size_t last) const {
    float merged = start(), other = Heatmap::kImpossible;
    double total = 0, n = 0;
    for (std::size_t i = first; i < last; ++i) {
      if constexpr (kReducer == Reducer::mean) {
        total += value[i];
      } else {
        merged = join(merged, value[i]);
      }
      n += count[i];
      other = std::max(other, special[i]);
    }
    if (n == 0) return other;
    return kReducer == Reducer::mean ? static_cast<float>(total / n) : merged;
  }
};

template <Reducer kReducer>
void reduce_rows(const Heatmap& map, const CellRange& rows, const std::vector<CellRange>& columns,
                 std::span<float> out) {
  std::fill(out.begin(), out.end(), Heatmap::kImpossible);
  std::int64_t first = map.columns(), last = 0;
  for (const CellRange& range : columns) {
    if (range.first >= range.last) continue;
    first = std::min(first, range.first);
    last = std::max(last, range.last);
  }
  if (rows.first >= rows.last || first >= last) return;
  Merge<kReducer> line(static_cast<std::size_t>(last - first));
  for (std::int64_t row = rows.first; row < rows.last; ++row) {
    line.add(map.cells.sub(row).data() + first);
  }
  for (std::size_t x = 0; x < columns.size(); ++x) {
    const CellRange& range = columns[x];
    if (range.first >= range.last) continue;
    out[x] = line.pixel(static_cast<std::size_t>(range.first - first),
                        static_cast<std::size_t>(range.last - first));
  }
}

void reduce_rows(const Heatmap& map, const CellRange& rows, const std::vector<CellRange>& columns,
                 std::span<float> out) {
  switch (map.reducer) {
    case Reducer::max:
      return reduce_rows<Reducer::max>(map, rows, columns, out);
    case Reducer::min:
      return reduce_rows<Reducer::min>(map, rows, columns, out);
    case Reducer::mean:
      return reduce_rows<Reducer::mean>(map, rows, columns, out);
  }
}

}  // namespace

HeatmapTile reduce(const Heatmap& map, const CellRect& area, std::int64_t width,
                   std::int64_t height) {
  assert(width > 0 && height > 0 && area.right > area.left && area.bottom > area.top);
  HeatmapTile tile;
  tile.pixels = NdArray<float, 2>({height, width});
  tile.cells_per_pixel_x = (area.right - area.left) / static_cast<double>(width);
  tile.cells_per_pixel_y = (area.bottom - area.top) / static_cast<double>(height);
  const auto columns = cell_ranges(area.left, area.right, width, map.columns());
  const auto rows = cell_ranges(area.top, area.bottom, height, map.rows());

  // Zoomed in, many lines of pixels show the same cells: each is reduced once.
  std::vector<std::int64_t> first_lines;
  for (std::int64_t y = 0; y < height; ++y) {
    const auto i = static_cast<std::size_t>(y);
    if (y == 0 || rows[i] != rows[i - 1]) first_lines.push_back(y);
  }
  parallel_for(static_cast<std::int64_t>(first_lines.size()), [&](std::int64_t k) {
    const auto i = static_cast<std::size_t>(k);
    const std::int64_t y = first_lines[i];
    const std::int64_t end = i + 1 < first_lines.size() ? first_lines[i + 1] : height;
    const auto line = tile.pixels.sub(y).span();
    reduce_rows(map, rows[static_cast<std::size_t>(y)], columns, line);
    for (std::int64_t same = y + 1; same < end; ++same) {
      std::copy(line.begin(), line.end(), tile.pixels.sub(same).data());
    }
  });
  return tile;
}

}  // namespace qaq
