#pragma once

#include <QImage>
#include <QPoint>
#include <memory>
#include <optional>

#include "core/analysis/heatmap_tile.h"
#include "views/plots/color_map.h"

namespace qaq::views {

/// What a picture of a part of a heatmap is made from.
struct TileRequest {
  SharedHeatmap map;
  Reducer reducer = Reducer::max;
  CellRect area;  ///< in cells: column c covers [c, c + 1), row 0 is at the top
  QSize pixels;   ///< device pixels
  ColorMap colors;
  double scale = 1;  ///< device pixels a logical pixel, for the hatch and texts
  QRgb hatch = 0;
  Palette::Evicted evicted{};
  QRgb grid = 0;      ///< lines between large cells
  bool texts = true;  ///< large cells carry the grid and their values

  bool operator==(const TileRequest&) const = default;
  /// Of the same cells in the same pixels, whatever their colours.
  bool hasCellsOf(const TileRequest& other) const;
  bool looksLike(const TileRequest& other) const;
  /// Where the pixels of `part` are among the pixels of this request, if they are the same pixels.
  std::optional<QPoint> placeOf(const TileRequest& part) const;
  /// The same pixels and a quarter more on each side, as far as there is map.
  TileRequest padded() const;
};

struct Tile {
  QImage image;  ///< request.pixels, transparent where nothing can exist
  TileRequest request;
  std::shared_ptr<const HeatmapTile> reduced;  ///< what the image is the colours of
};

/// Reduces and colours; no interpolation. Absent cells are hatched at 45 degrees, 1 px in 7;
/// evicted ones crossed (evicted_pattern.h). Takes the pixels of `last` where only their colours
/// have changed. Needs no thread in particular.
Tile renderTile(const TileRequest& request, const Tile& last = {});

}  // namespace qaq::views
