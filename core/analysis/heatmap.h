#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor/nd_array.h"

namespace qaq {

/// How cells that share a pixel become one: the largest, the smallest, the mean.
enum class Reducer { max, min, mean };

/// A matrix of cells to draw: row 0 is at the top. Cells that are absent (not captured) and cells
/// that cannot exist (the future) are told apart from values.
struct Heatmap {
  static constexpr float kAbsent = -1e30f;      ///< hatched
  static constexpr float kImpossible = -2e30f;  ///< left blank

  NdArray<float, 2> cells;  ///< (rows, columns)
  Reducer reducer = Reducer::max;

  std::int64_t rows() const { return cells.shape(0); }
  std::int64_t columns() const { return cells.shape(1); }
  static bool is_value(float cell) { return cell > kAbsent; }
};

using SharedHeatmap = std::shared_ptr<const Heatmap>;

/// A rectangle of cells in cell units; may end between cells and reach outside the map.
struct CellRect {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

/// What a picture of width x height pixels shows of `area`: every cell that a pixel touches counts,
/// so a lone maximum never vanishes, at any size. A value beats absent, absent beats impossible.
/// Pixels outside the map are impossible.
struct HeatmapTile {
  NdArray<float, 2> pixels;  ///< (height, width)
  double cells_per_pixel_x = 1;
  double cells_per_pixel_y = 1;
};
HeatmapTile reduce(const Heatmap& map, const CellRect& area, std::int64_t width,
                   std::int64_t height);

}  // namespace qaq
