#include "views/plots/heatmap_plottable.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "views/plots/cell_frame.h"

namespace qaq::views {
namespace {

constexpr double kNumberPx = 16;  // cells this high and wide carry grid and numerals

QString reducerName(Reducer reducer) {
  switch (reducer) {
    case Reducer::max:
      return HeatmapPlottable::tr("max");
    case Reducer::min:
      return HeatmapPlottable::tr("min");
    case Reducer::mean:
      return HeatmapPlottable::tr("mean");
  }
  return {};
}

}  // namespace

HeatmapPlottable::HeatmapPlottable(QCPAxis* columns, QCPAxis* rows)
    : QCPAbstractPlottable(columns, rows) {}

void HeatmapPlottable::setMap(SharedHeatmap map, ColorMap colors) {
  m_map = std::move(map);
  m_colors = std::move(colors);
}

void HeatmapPlottable::setTheme(const Theme& theme) { m_theme = theme; }

bool HeatmapPlottable::isSettled() const {
  if (!m_map) return true;
  return m_asked == m_received && m_wanted.map == m_map && m_wanted.colors == m_colors;
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
  return QCPAbstractPlottable::clipRect().translated(0, 1);
}

void HeatmapPlottable::draw(QCPPainter* painter) {
  if (!m_map) return;
  const CellFrame frame(*keyAxis()->axisRect());
  const bool exporting = painter->modes().testFlag(QCPPainter::pmNoCaching);
  // Dots a logical pixel: of the screen, or of the paper that the painter scales to.
  const double scale = painter->deviceTransform().m11();
  const TileRequest request{.map = m_map,
                            .colors = m_colors,
                            .area = frame.area(),
                            .pixels = (frame.plot().size() * scale).toSize(),
                            .scale = scale,
                            .hatch = m_theme.hatch.rgb()};
  if (exporting) {
    m_tile = renderTile(request);
    m_wanted = request;
  } else if (!m_wanted.sameAs(request)) {
    ask(request);
  }
  if (!m_tile.image.isNull()) {
    painter->setRenderHint(QPainter::SmoothPixmapTransform, false);
    painter->drawImage(frame.cells(m_tile.request.area), m_tile.image);
  }
  if (!m_tile.image.isNull() && m_tile.request.map == m_map) {
    drawNumbers(painter);
  }
}

void HeatmapPlottable::ask(const TileRequest& request) {
  m_wanted = request;
  const std::int64_t generation = ++m_asked;
  m_job.submit([this, generation, request](const std::stop_token&) {
    Tile tile = renderTile(request);
    QMetaObject::invokeMethod(this, [this, generation, tile = std::move(tile)] {
      if (generation <= m_received) return;
      m_received = generation;
      m_tile = tile;
      parentPlot()->replot(QCustomPlot::rpQueuedReplot);
    });
  });
}

QString HeatmapPlottable::badge() const {
  const auto across = static_cast<int>(std::ceil(m_tile.cellsPerPixelX - 1e-9));
  const auto down = static_cast<int>(std::ceil(m_tile.cellsPerPixelY - 1e-9));
  if (!m_map || m_tile.image.isNull() || (across <= 1 && down <= 1)) return {};
  return tr("%1 of %2 × %3 cells")
      .arg(reducerName(m_map->reducer))
      .arg(std::max(1, across))
      .arg(std::max(1, down));
}

void HeatmapPlottable::drawNumbers(QCPPainter* painter) const {
  const CellFrame frame(*keyAxis()->axisRect());
  if (frame.cellWidth() < kNumberPx || frame.cellHeight() < kNumberPx) return;
  const auto inside = [](double edge, std::int64_t count) {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(edge), 0, count);
  };
  const std::int64_t first_row = inside(std::floor(frame.area().top), m_map->rows());
  const std::int64_t last_row = inside(std::ceil(frame.area().bottom), m_map->rows());
  const std::int64_t first = inside(std::floor(frame.area().left), m_map->columns());
  const std::int64_t last = inside(std::ceil(frame.area().right), m_map->columns());
  painter->setFont(Theme::font(Theme::kTickPx));
  painter->setBrush(Qt::NoBrush);
  QColor line = m_theme.halo;
  line.setAlphaF(0.7f);
  for (std::int64_t row = first_row; row < last_row; ++row) {
    for (std::int64_t column = first; column < last; ++column) {
      const float cell = m_map->cells(row, column);
      if (!Heatmap::is_value(cell)) continue;
      const QRectF box = frame.cell(row, column);
      painter->setPen(QPen(line, 1));
      painter->drawRect(box);
      if (!m_colors.isDiscrete() || cell >= static_cast<float>(m_colors.exactFrom())) continue;
      painter->setPen(Palette::inkOn(m_colors(cell)));
      painter->drawText(box, Qt::AlignCenter, QString::number(static_cast<int>(cell)));
    }
  }
}

}  // namespace qaq::views
