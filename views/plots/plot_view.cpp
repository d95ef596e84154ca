#include "views/plots/plot_view.h"

#include <QHBoxLayout>
#include <algorithm>

namespace qaq::views {

PlotView::PlotView(SelectionModel* selection, QWidget* parent)
    : QWidget(parent), m_selection(selection) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(6);
  connect(selection, &SelectionModel::hoverChanged, this, &PlotView::showHover);
  connect(selection, &SelectionModel::lockChanged, this, &PlotView::showLock);
}

void PlotView::addPane(MapPane* pane) {
  m_panes.push_back(pane);
  layout()->addWidget(pane);
  connect(pane, &MapPane::cellHovered, this, [this, pane](int row, int column) {
    m_selection->hover(cursorOf(pane, row, column, nullptr));
  });
  connect(pane, &MapPane::cellLeft, this, [this] { m_selection->hover(std::nullopt); });
  connect(pane, &MapPane::cellClicked, this, [this, pane](int row, int column, const QPointF& at) {
    if (const auto cursor = cursorOf(pane, row, column, &at)) m_selection->lock(*cursor);
  });
  connect(pane, &MapPane::cursorStepped, this,
          [this, pane](int rows, int columns) { step(pane, rows, columns); });
}

void PlotView::show(const SharedSlice& slice) {
  present(slice);
  showHover();
  showLock();
}

void PlotView::setTheme(const Theme& theme) {
  for (MapPane* pane : m_panes) pane->setTheme(theme);
}

void PlotView::setUpdating(bool updating) {
  for (MapPane* pane : m_panes) pane->setUpdating(updating);
}

bool PlotView::isSettled() const {
  return std::all_of(m_panes.begin(), m_panes.end(),
                     [](const MapPane* pane) { return pane->isSettled(); });
}

void PlotView::showHover() {
  const auto& cursor = m_selection->hovered();
  for (MapPane* pane : m_panes) pane->setHovered(cursor ? markOf(pane, *cursor) : MarkedCell{});
}

void PlotView::showLock() {
  const auto& cursor = m_selection->locked();
  for (MapPane* pane : m_panes) pane->setLocked(cursor ? markOf(pane, *cursor) : MarkedCell{});
  lockChanged();
}

void PlotView::step(MapPane* pane, int rows, int columns) {
  const SharedHeatmap& map = pane->heatmap()->map();
  if (!map) return;
  // Starts from the lock, or from the slice's corner of the map.
  const Slice& slice = m_selection->slice();
  const Cursor start{.side = slice.side, .layer = slice.layer, .kvHead = slice.kvHead};
  const MarkedCell at = markOf(pane, m_selection->locked().value_or(start));
  const auto row = std::clamp<std::int64_t>(at.row.value_or(0) + rows, 0, map->rows() - 1);
  const auto column =
      std::clamp<std::int64_t>(at.column.value_or(0) + columns, 0, map->columns() - 1);
  const auto next = cursorOf(pane, static_cast<int>(row), static_cast<int>(column), nullptr);
  if (next) m_selection->lock(*next);
}

}  // namespace qaq::views
