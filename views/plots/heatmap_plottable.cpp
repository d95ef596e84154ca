#include "views/plots/heatmap_plottable.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "views/plots/cell_frame.h"
#include "views/plots/cell_texts.h"

namespace qaq::views {

QString reducerText(Reducer reducer) {
  switch (reducer) {
    case Reducer::max:
      return HeatmapPlottable::tr("max");
    case Reducer::min:
      return HeatmapPlottable::tr("min");
    case Reducer::mean:
      return HeatmapPlottable::tr("mean");
    case Reducer::farthest:
      return HeatmapPlottable::tr("largest |B − A|");
  }
  return {};
}

HeatmapPlottable::HeatmapPlottable(QCPAxis* columns, QCPAxis* rows)
    : QCPAbstractPlottable(columns, rows) {}

void HeatmapPlottable::setMap(SharedHeatmap map, ColorMap colors) {
  m_map = std::move(map);
  m_colors = std::move(colors);
}

void HeatmapPlottable::setColors(ColorMap colors) { m_colors = std::move(colors); }

void HeatmapPlottable::setTheme(const Theme& theme) { m_theme = theme; }

void HeatmapPlottable::setPart(double from, double to) {
  m_from = from;
  m_to = to;
}

bool HeatmapPlottable::isSettled() const {
  if (!m_map) return true;
  return m_asked == m_received && m_wanted.map == m_map && m_wanted.reducer == m_reducer &&
         m_wanted.colors == m_colors;
}

QCPRange HeatmapPlottable::getKeyRange(bool& found, QCP::SignDomain) const {
  found = m_map != nullptr;
  return found ? QCPRange(-0.5, static_cast<double>(m_map->columns()) - 0.5) : QCPRange();
}

QCPRange HeatmapPlottable::getValueRange(bool& found, QCP::SignDomain, const QCPRange&) const {
  found = m_map != nullptr;
  return found ? QCPRange(-0.5, static_cast<double>(m_map->rows()) - 0.5) : QCPRange();
}

QRect HeatmapPlottable::clipRect() const {
  // QCustomPlot shifts every clip rectangle up by one pixel, to fit its own vertical axes.
  const QRect whole = QCPAbstractPlottable::clipRect().translated(0, 1);
  const auto at = [&](double share) {
    return static_cast<int>(std::lround(share * whole.width()));
  };
  return {whole.left() + at(m_from), whole.top(), at(m_to) - at(m_from), whole.height()};
}

TileRequest HeatmapPlottable::request(QCPPainter* painter) const {
  const CellFrame frame(*keyAxis()->axisRect());
  // Dots a logical pixel: of the screen, or of the paper that the painter scales to.
  const double scale = painter->deviceTransform().m11();
  return {.map = m_map,
          .reducer = m_reducer,
          .area = frame.area(),
          .pixels = (frame.plot().size() * scale).toSize(),
          .colors = m_colors,
          .scale = scale,
          .hatch = m_theme.hatch.rgb(),
          .evicted = m_theme.palette().evicted(),
          .grid = m_theme.halo.rgb(),
          // Figures have them as text, not as pixels.
          .texts = !painter->modes().testFlag(QCPPainter::pmNoCaching)};
}

void HeatmapPlottable::draw(QCPPainter* painter) {
  if (!m_map) return;
  const CellFrame frame(*keyAxis()->axisRect());
  const TileRequest here = request(painter);
  const bool exporting = !here.texts;
  if (exporting) {
    m_tile = renderTile(here, m_tile);
    m_wanted = here;
  } else if (!m_wanted.placeOf(here) || !m_wanted.looksLike(here)) {
    ask(here);
  }
  if (!exporting) m_here = here;
  if (m_tile.image.isNull()) return;
  QRectF target = frame.cells(m_tile.request.area);
  if (const auto place = m_tile.request.placeOf(here)) {
    // Pixel on pixel.
    const double across = frame.plot().width() / here.pixels.width();
    const double down = frame.plot().height() / here.pixels.height();
    target =
        QRectF(frame.plot().left() - place->x() * across, frame.plot().top() - place->y() * down,
               m_tile.image.width() * across, m_tile.image.height() * down);
  }
  painter->setRenderHint(QPainter::SmoothPixmapTransform, false);
  painter->drawImage(target, m_tile.image);
  if (exporting) drawCellTexts(painter, *m_map, m_colors, here.grid, frame);
}

bool HeatmapPlottable::askAhead() {
  if (!m_map || m_here.pixels.isEmpty()) return false;
  TileRequest here = m_here;
  here.map = m_map;
  here.reducer = m_reducer;
  here.colors = m_colors;
  if (m_wanted.placeOf(here) && m_wanted.looksLike(here)) return false;
  ask(here);
  return true;
}

void HeatmapPlottable::ask(const TileRequest& here) {
  // The pixels at hand, where only colours have changed.
  m_wanted = m_tile.request.placeOf(here) ? m_tile.request : here.padded();
  m_wanted.colors = here.colors;
  m_wanted.scale = here.scale;
  m_wanted.hatch = here.hatch;
  m_wanted.evicted = here.evicted;
  m_wanted.grid = here.grid;
  m_wanted.texts = here.texts;
  const std::int64_t generation = ++m_asked;
  m_job.submit([this, generation, wanted = m_wanted, last = m_tile](const std::stop_token&) {
    Tile tile = renderTile(wanted, last);
    QMetaObject::invokeMethod(this, [this, generation, tile = std::move(tile)] {
      if (generation <= m_received) return;
      m_received = generation;
      m_tile = tile;
      parentPlot()->replot(QCustomPlot::rpQueuedReplot);
    });
  });
}

QString HeatmapPlottable::badge() const {
  if (!m_map || !m_tile.reduced) return {};
  const auto across = static_cast<int>(std::ceil(m_tile.reduced->cells_per_pixel_x - 1e-9));
  const auto down = static_cast<int>(std::ceil(m_tile.reduced->cells_per_pixel_y - 1e-9));
  if (across <= 1 && down <= 1) return {};
  return tr("%1 of %2 × %3 cells")
      .arg(reducerText(m_tile.request.reducer))
      .arg(std::max(1, across))
      .arg(std::max(1, down));
}

}  // namespace qaq::views
