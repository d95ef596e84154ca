#pragma once

#include <cstdint>
#include <optional>

#include "core/analysis/heatmap.h"

namespace qaq {

/// What a picture shows of a map.
struct TileSpec {
  Reducer reducer = Reducer::max;
  CellRect area;
  std::int64_t width = 1;  ///< pixels
  std::int64_t height = 1;
};

/// Pixels of a map: every cell that a pixel touches counts, so a lone maximum never vanishes, at
/// any size. A value beats evicted, evicted beats absent, absent beats impossible. Pixels outside
/// the map are impossible.
struct HeatmapTile {
  NdArray<float, 2> pixels;  ///< (height, width); values, Heatmap::kEvicted, kAbsent, kImpossible
  double cells_per_pixel_x = 1;
  double cells_per_pixel_y = 1;
};

/// From the cells themselves, or from rows merged in advance: the pixels are the same (means to
/// rounding). `automatic`: merges in advance where pixels have many rows of a large map that was
/// asked for before.
enum class Reading { automatic, cells, pyramid };

HeatmapTile reduce(const Heatmap& map, const TileSpec& spec, Reading reading = Reading::automatic);

/// The largest value of a map; nothing where it has none.
std::optional<float> largest_value(const Heatmap& map);

}  // namespace qaq
