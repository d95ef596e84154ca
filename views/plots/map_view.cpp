#include "views/plots/map_view.h"

#include <QHBoxLayout>
#include <QJsonArray>
#include <algorithm>

namespace qaq::views {
namespace {

constexpr int kPaneGap = 6;
const QSize kPaneSize(720, 460);

}  // namespace

MapView::MapView(SelectionModel* selection, QWidget* parent) : PlotView(selection, parent) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kPaneGap);
  connect(selection, &SelectionModel::hoverChanged, this, &MapView::showHover);
  connect(selection, &SelectionModel::lockChanged, this, &MapView::showLock);
}

void MapView::addPane(MapPane* pane) {
  m_panes.push_back(pane);
  layout()->addWidget(pane);
  connect(pane, &MapPane::cellHovered, this, [this, pane](int row, int column) {
    selection()->hover(cursorOf(pane, row, column, nullptr));
  });
  connect(pane, &MapPane::cellLeft, this, [this] { selection()->hover(std::nullopt); });
  connect(pane, &MapPane::cellClicked, this, [this, pane](int row, int column, const QPointF& at) {
    if (const auto cursor = cursorOf(pane, row, column, &at)) selection()->lock(*cursor);
  });
  connect(pane, &MapPane::cursorStepped, this,
          [this, pane](int rows, int columns) { step(pane, rows, columns); });
}

void MapView::show(const SharedSlice& slice) {
  present(slice);
  applyState();
  showHover();
  showLock();
}

void MapView::setTheme(const Theme& theme) {
  for (MapPane* pane : m_panes) pane->setTheme(theme);
}

void MapView::setUpdating(bool updating) {
  for (MapPane* pane : m_panes) pane->setUpdating(updating);
}

void MapView::setMessage(const QString& text) {
  for (MapPane* pane : m_panes) pane->setMessage(text);
}

void MapView::resetZoom() {
  for (MapPane* pane : m_panes) pane->resetZoom();
}

QJsonObject MapView::viewState() const {
  if (!m_state.isEmpty()) return m_state;
  QJsonArray ranges;
  bool zoomed = false;
  for (const MapPane* pane : m_panes) {
    const QCPRange x = pane->xAxis->range(), y = pane->yAxis->range();
    ranges.append(QJsonArray{x.lower, x.upper, y.lower, y.upper});
    zoomed = zoomed || pane->isZoomed();
  }
  // A whole map is whole in any capture.
  return zoomed ? QJsonObject{{QStringLiteral("ranges"), ranges}} : QJsonObject();
}

void MapView::setViewState(const QJsonObject& state) {
  m_state = state;
  applyState();
}

void MapView::applyState() {
  const auto hasMap = [](const MapPane* pane) { return pane->heatmap()->map() != nullptr; };
  if (m_state.isEmpty() || !std::ranges::all_of(m_panes, hasMap)) return;
  const QJsonArray ranges = m_state.value(QStringLiteral("ranges")).toArray();
  m_state = {};
  for (int i = 0; i < m_panes.size() && i < ranges.size(); ++i) {
    const QJsonArray range = ranges[i].toArray();
    const auto set = [&range](QCPAxis* axis, int at) {
      const double lower = range[at].toDouble(), upper = range[at + 1].toDouble();
      if (lower < upper) axis->setRange(lower, upper);  // held inside the map
    };
    set(m_panes[i]->xAxis, 0);
    set(m_panes[i]->yAxis, 2);
    m_panes[i]->replot(QCustomPlot::rpQueuedReplot);
  }
}

void MapView::setCompact(bool compact) {
  for (MapPane* pane : m_panes) {
    pane->setXLabelShown(!compact);
    pane->setCompact(compact);
  }
}

QSize MapView::figureSize() const {
  const auto n = static_cast<int>(m_panes.size());
  return {n * kPaneSize.width() + (n - 1) * kPaneGap, kPaneSize.height()};
}

void MapView::paintFigure(QCPPainter* painter, const QSize& size) {
  const auto n = static_cast<int>(m_panes.size());
  const int width = (size.width() - (n - 1) * kPaneGap) / n;
  for (int i = 0; i < n; ++i) {
    painter->save();
    painter->translate(i * (width + kPaneGap), 0);
    m_panes[i]->toPainter(painter, width, size.height());
    painter->restore();
  }
}

QString MapView::summary() const {
  QStringList parts;
  for (const MapPane* pane : m_panes) parts.push_back(pane->summary());
  return parts.join(QLatin1String(" "));
}

bool MapView::isSettled() const {
  return isReady() && std::all_of(m_panes.begin(), m_panes.end(),
                                  [](const MapPane* pane) { return pane->isSettled(); });
}

void MapView::showHover() {
  const auto& cursor = selection()->hovered();
  for (MapPane* pane : m_panes) pane->setHovered(cursor ? markOf(pane, *cursor) : MarkedCell{});
}

void MapView::showLock() {
  const auto& cursor = selection()->locked();
  for (MapPane* pane : m_panes) pane->setLocked(cursor ? markOf(pane, *cursor) : MarkedCell{});
  lockChanged();
}

void MapView::step(MapPane* pane, int rows, int columns) {
  const SharedHeatmap& map = pane->heatmap()->map();
  if (!map) return;
  // Starts from the lock, or from the slice's corner of the map.
  const Slice& slice = selection()->slice();
  const Cursor start{.side = slice.side, .layer = slice.layer, .kvHead = slice.kvHead};
  const MarkedCell at = markOf(pane, selection()->locked().value_or(start));
  const auto row = std::clamp<std::int64_t>(at.row.value_or(0) + rows, 0, map->rows() - 1);
  const auto column =
      std::clamp<std::int64_t>(at.column.value_or(0) + columns, 0, map->columns() - 1);
  const auto next = cursorOf(pane, static_cast<int>(row), static_cast<int>(column), nullptr);
  if (next) selection()->lock(*next);
}

}  // namespace qaq::views
