#pragma once

#include <QImage>

#include "core/analysis/heatmap.h"
#include "views/plots/color_map.h"

namespace qaq::views {

/// What a picture of a part of a heatmap is made from.
struct TileRequest {
  SharedHeatmap map;
  ColorMap colors;
  CellRect area;     ///< in cells: column c covers [c, c + 1), row 0 is at the top
  QSize pixels;      ///< device pixels
  double scale = 1;  ///< device pixels a logical pixel, for the hatch
  QRgb hatch = 0;

  bool sameAs(const TileRequest& other) const;
};

struct Tile {
  QImage image;  ///< request.pixels, transparent where nothing can exist
  TileRequest request;
  double cellsPerPixelX = 1;
  double cellsPerPixelY = 1;
};

/// Reduces and colours; no interpolation. Absent cells are hatched at 45 degrees, 1 px in 7.
/// Needs no thread in particular.
Tile renderTile(const TileRequest& request);

}  // namespace qaq::views
