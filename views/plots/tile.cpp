#include "views/plots/tile.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

#include "core/base/parallel.h"
#include "views/plots/cell_texts.h"
#include "views/plots/evicted_pattern.h"

namespace qaq::views {
namespace {

constexpr int kLinesTogether = 32;

/// Pixels to the left or above that there is map for.
int padBefore(double begin, double step, int most) {
  return static_cast<int>(std::clamp(std::ceil(begin / step - 1e-6), 0.0, double(most)));
}

QImage colored(const HeatmapTile& reduced, const TileRequest& request) {
  QImage image(request.pixels, QImage::Format_ARGB32_Premultiplied);
  const int stroke = std::max(1, static_cast<int>(std::lround(request.scale)));
  const int width = image.width(), height = image.height();
  uchar* const bits = image.bits();
  const auto stride = image.bytesPerLine();
  parallel_for((height + kLinesTogether - 1) / kLinesTogether, [&](std::int64_t piece) {
    const int first = static_cast<int>(piece) * kLinesTogether;
    for (int y = first; y < std::min(first + kLinesTogether, height); ++y) {
      auto* line = reinterpret_cast<QRgb*>(bits + y * stride);
      const float* const cells = reduced.pixels.sub(y).data();
      for (int x = 0; x < width; ++x) {
        if (Heatmap::is_value(cells[x])) {
          line[x] = request.colors(cells[x]);
        } else if (Heatmap::is_evicted(cells[x])) {
          line[x] = isOnCross(x, y, stroke) ? request.evicted.cross : request.evicted.fill;
        } else {
          const bool hatched = cells[x] == Heatmap::kAbsent && ((x + y) / stroke) % 7 == 0;
          line[x] = hatched ? request.hatch : 0;
        }
      }
    }
  });
  return image;
}

}  // namespace

bool TileRequest::hasCellsOf(const TileRequest& other) const {
  return map == other.map && reducer == other.reducer && area == other.area &&
         pixels == other.pixels;
}

bool TileRequest::looksLike(const TileRequest& other) const {
  return scale == other.scale && hatch == other.hatch && evicted == other.evicted &&
         grid == other.grid && texts == other.texts && colors == other.colors;
}

std::optional<QPoint> TileRequest::placeOf(const TileRequest& part) const {
  if (!map || map != part.map || reducer != part.reducer) return std::nullopt;
  // A thousandth of a pixel over the whole picture is no difference.
  constexpr double kSlack = 1e-3;
  const auto along = [](double begin, double end, int n, double from, double to,
                        int count) -> std::optional<int> {
    const double step = (end - begin) / n, place = (from - begin) / step;
    const double whole = std::round(place);
    if (std::abs(place - whole) > kSlack) return std::nullopt;
    if (std::abs((to - from) / step - count) > kSlack) return std::nullopt;
    if (whole < 0 || whole + count > n) return std::nullopt;
    return static_cast<int>(whole);
  };
  const auto x = along(area.left, area.right, pixels.width(), part.area.left, part.area.right,
                       part.pixels.width());
  const auto y = along(area.top, area.bottom, pixels.height(), part.area.top, part.area.bottom,
                       part.pixels.height());
  if (!x || !y) return std::nullopt;
  return QPoint(*x, *y);
}

TileRequest TileRequest::padded() const {
  const int width = pixels.width(), height = pixels.height();
  const double across = (area.right - area.left) / width, down = (area.bottom - area.top) / height;
  const int left = padBefore(area.left, across, width / 4);
  const int top = padBefore(area.top, down, height / 4);
  const int right = padBefore(static_cast<double>(map->columns()) - area.right, across, width / 4);
  const int bottom = padBefore(static_cast<double>(map->rows()) - area.bottom, down, height / 4);
  TileRequest wider = *this;
  wider.pixels += QSize(left + right, top + bottom);
  wider.area = {area.left - left * across, area.top - top * down, area.right + right * across,
                area.bottom + bottom * down};
  return wider;
}

Tile renderTile(const TileRequest& request, const Tile& last) {
  Tile tile;
  tile.request = request;
  if (request.pixels.isEmpty()) return tile;
  tile.reduced = last.reduced && request.hasCellsOf(last.request)
                     ? last.reduced
                     : std::make_shared<const HeatmapTile>(
                           reduce(*request.map, {request.reducer, request.area,
                                                 request.pixels.width(), request.pixels.height()}));
  tile.image = colored(*tile.reduced, request);
  if (request.texts) {
    QPainter painter(&tile.image);
    painter.scale(request.scale, request.scale);
    const QRectF plot(QPointF(), QSizeF(request.pixels) / request.scale);
    drawCellTexts(&painter, *request.map, request.colors, request.grid,
                  CellFrame(plot, request.area));
  }
  return tile;
}

}  // namespace qaq::views
