#include "views/plots/tile.h"

#include <algorithm>
#include <cmath>

namespace qaq::views {
namespace {

bool same(const CellRect& a, const CellRect& b) {
  return a.left == b.left && a.top == b.top && a.right == b.right && a.bottom == b.bottom;
}

}  // namespace

bool TileRequest::sameAs(const TileRequest& other) const {
  return map == other.map && same(area, other.area) && pixels == other.pixels &&
         scale == other.scale && hatch == other.hatch && colors == other.colors;
}

Tile renderTile(const TileRequest& request) {
  Tile tile;
  tile.request = request;
  const int width = request.pixels.width(), height = request.pixels.height();
  tile.image = QImage(request.pixels, QImage::Format_ARGB32_Premultiplied);
  tile.image.fill(Qt::transparent);
  if (tile.image.isNull()) return tile;
  const HeatmapTile reduced = reduce(*request.map, request.area, width, height);
  tile.cellsPerPixelX = reduced.cells_per_pixel_x;
  tile.cellsPerPixelY = reduced.cells_per_pixel_y;
  const int stroke = std::max(1, static_cast<int>(std::lround(request.scale)));
  for (int y = 0; y < height; ++y) {
    auto* line = reinterpret_cast<QRgb*>(tile.image.scanLine(y));
    for (int x = 0; x < width; ++x) {
      const float cell = reduced.pixels(y, x);
      if (Heatmap::is_value(cell)) {
        line[x] = request.colors(cell);
      } else if (cell == Heatmap::kAbsent && ((x + y) / stroke) % 7 == 0) {
        line[x] = request.hatch;
      }
    }
  }
  return tile;
}

}  // namespace qaq::views
