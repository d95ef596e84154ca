#include "views/plots/map_view.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <QJsonArray>
#include <algorithm>

#include "views/plots/view_choice.h"

namespace qaq::views {
namespace {

constexpr Px<int> kPaneGap{6};
const QSize kPaneSize(720, 460);
constexpr QLatin1String kRanges("ranges"), kReducers("reducers");  // in viewState()

}  // namespace

MapView::MapView(SelectionModel* selection, QWidget* parent)
    : PlotView(selection, parent), m_column(new QVBoxLayout(this)), m_row(new QHBoxLayout) {
  m_column->setContentsMargins(0, 0, 0, 0);
  m_column->setSpacing(0);
  m_column->addLayout(m_row, kPaneStretch);
  m_row->setSpacing(kPaneGap);
  connect(selection, &SelectionModel::hoverChanged, this, &MapView::showHover);
  connect(selection, &SelectionModel::lockChanged, this, &MapView::showLock);
  connect(selection, &SelectionModel::pinChanged, this, &MapView::showPin);
  connect(selection, &SelectionModel::selectionChanged, this, &MapView::showSelected);
  connect(selection, &SelectionModel::filterChanged, this, &MapView::showFilter);
  connect(selection, &SelectionModel::modeChanged, this, [this] {
    for (MapPane* pane : m_panes) pane->setBoxTool(this->selection()->isBoxTool());
  });
}

void MapView::addPane(MapPane* pane) {
  m_panes.push_back(pane);
  m_row->addWidget(pane);
  connect(pane, &MapPane::cellHovered, this, [this, pane](int row, int column) {
    selection()->hover(cursorOf(pane, row, column, nullptr));
  });
  connect(pane, &MapPane::cellLeft, this, [this] { selection()->hover(std::nullopt); });
  connect(pane, &MapPane::cellClicked, this,
          [this, pane](int row, int column, const QPointF& at, Qt::KeyboardModifiers modifiers) {
            const auto cursor = cursorOf(pane, row, column, &at);
            if (cursor) selection()->click(*cursor, modifiers);
          });
  connect(pane, &MapPane::boxDragged, this,
          [this, pane](const CellBlock& block, Qt::KeyboardModifiers modifiers) {
            if (const auto cells = cellsOf(pane, block)) selection()->drag(*cells, modifiers);
          });
  connect(pane, &MapPane::cursorStepped, this, [this, pane](int rows, int columns, bool extends) {
    step(pane, rows, columns, extends);
  });
  pane->setBoxTool(selection()->isBoxTool());
}

void MapView::addAbove(QWidget* widget, int stretch) { m_column->insertWidget(0, widget, stretch); }

void MapView::addBelow(QWidget* widget, int stretch) { m_column->addWidget(widget, stretch); }

void MapView::show(const SharedSlice& slice) {
  present(slice);
  mapsShown();
}

void MapView::mapsShown() {
  applyState();
  showHover();
  showLock();
  showPin();
  showFilter();
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
  QJsonObject state;
  // A whole map is whole in any capture.
  if (zoomed) state[kRanges] = ranges;
  QJsonArray reducers;
  bool chosen = false;
  for (const MapPane* pane : m_panes) {
    reducers.append(choiceName(name_of(pane->reducer())));
    chosen = chosen || pane->hasChosenReducer();
  }
  if (chosen) state[kReducers] = reducers;
  return state;
}

void MapView::setViewState(const QJsonObject& state) {
  m_state = {};
  for (const QLatin1String key : {kRanges, kReducers}) {
    if (state.contains(key)) m_state[key] = state[key];
  }
  applyState();
}

void MapView::applyState() {
  const auto hasMap = [](const MapPane* pane) { return pane->heatmap()->map() != nullptr; };
  if (m_state.isEmpty() || !std::ranges::all_of(m_panes, hasMap)) return;
  const QJsonArray ranges = m_state.value(kRanges).toArray();
  const QJsonArray reducers = m_state.value(kReducers).toArray();
  m_state = {};
  for (int i = 0; i < m_panes.size() && i < reducers.size(); ++i) {
    for (const Reducer reducer : kAllReducers) {
      if (reducers[i].toString().toStdString() == name_of(reducer)) m_panes[i]->setReducer(reducer);
    }
  }
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
  const auto n = static_cast<int>(shownPanes().size());
  return {n * kPaneSize.width() + (n - 1) * kPaneGap, kPaneSize.height()};
}

void MapView::paintFigure(QCPPainter* painter, const QSize& size) {
  const QList<MapPane*> panes = shownPanes();
  const auto n = static_cast<int>(panes.size());
  const int width = (size.width() - (n - 1) * kPaneGap) / n;
  for (int i = 0; i < n; ++i) {
    painter->save();
    painter->translate(i * (width + kPaneGap), 0);
    panes[i]->toPainter(painter, width, size.height());
    painter->restore();
  }
}

QString MapView::summary() const {
  QStringList parts;
  for (const MapPane* pane : shownPanes()) parts.push_back(pane->summary());
  return parts.join(QLatin1String(" "));
}

bool MapView::isSettled() const {
  const QList<MapPane*> panes = shownPanes();
  return isReady() &&
         std::ranges::all_of(panes, [](const MapPane* pane) { return pane->isSettled(); });
}

void MapView::showHover() {
  const auto& cursor = selection()->hovered();
  for (MapPane* pane : m_panes) pane->setHovered(cursor ? markOf(pane, *cursor) : MarkedCell{});
}

void MapView::showLock() {
  const auto& cursor = selection()->locked();
  for (MapPane* pane : m_panes) pane->setLocked(cursor ? markOf(pane, *cursor) : MarkedCell{});
  if (cursor) tellLock(*cursor);
  showSelected();
  lockChanged();
}

void MapView::tellLock(const Cursor& cursor) {
  const auto& layers = selection()->layerNumbers();
  if (cursor.layer >= static_cast<int>(layers.size())) return;
  const QString text =
      tr("%1, layer %2, KV head %3, token %4")
          .arg(cursor.side == CacheSide::key ? QStringLiteral("K") : QStringLiteral("V"))
          .arg(layers[static_cast<std::size_t>(cursor.layer)])
          .arg(cursor.kvHead)
          .arg(cursor.token);
  for (MapPane* pane : m_panes) {
    pane->setAccessibleDescription(pane->summary() + QStringLiteral(". ") + text);
    if (!pane->hasFocus()) continue;  // screen readers follow the keyboard
    QAccessibleValueChangeEvent event(pane, text);
    QAccessible::updateAccessibility(&event);
  }
}

void MapView::showPin() {
  const auto& cursor = selection()->pinned();
  for (MapPane* pane : m_panes) pane->setPinned(cursor ? markOf(pane, *cursor) : MarkedCell{});
}

void MapView::showSelected() {
  const SelectionSet& cells = selection()->selected();
  // The lock is marked already.
  const auto& lock = selection()->locked();
  const bool lockAlone = lock && cells.is_of_tokens() &&
                         cells.tokens() == std::vector<TokenRange>{{lock->token, lock->token}};
  for (MapPane* pane : m_panes) {
    pane->setSelected(lockAlone ? std::vector<CellBlock>() : blocksOf(pane, cells));
  }
}

void MapView::showFilter() {
  const SelectionSet* filter = selection()->filter();
  for (MapPane* pane : m_panes) {
    if (filter == nullptr) {
      pane->setVeiled({});
      continue;
    }
    const auto all = SelectionSet::all(selection()->shape());
    pane->setVeiled(blocksOf(pane, all.combined(SelectOp::remove, *filter)));
  }
}

std::optional<SelectionSet> MapView::cellsOf(const MapPane* pane, const CellBlock& block) const {
  const SharedHeatmap& map = pane->heatmap()->map();
  const SelectionShape& shape = selection()->shape();
  if (pane->xKind() != AxisKind::token || !map) return std::nullopt;
  const TokenRange tokens{block.firstColumn, block.lastColumn};
  const int layers = selection()->modelLayers();
  if (pane->yKind() != AxisKind::layer || layers == 0 || map->rows() % layers != 0) {
    return SelectionSet::of_tokens(shape, std::vector<TokenRange>{tokens});
  }
  // Rows of the map are the model's layers, with the KV heads as sub-rows or without.
  const int heads = static_cast<int>(map->rows()) / layers;
  std::vector<SelectionBox> boxes;
  for (int layer = 0; layer < shape.n_layers; ++layer) {
    const int top = selection()->layerNumbers()[static_cast<std::size_t>(layer)] * heads;
    const int first = std::max(block.firstRow, top),
              last = std::min(block.lastRow, top + heads - 1);
    if (first > last) continue;
    const int row = layer * shape.n_kv_heads;
    const bool split = heads == shape.n_kv_heads;
    boxes.push_back({tokens, split ? row + first - top : row,
                     split ? row + last - top : row + shape.n_kv_heads - 1});
  }
  return SelectionSet::of_boxes(shape, boxes);
}

std::vector<CellBlock> MapView::blocksOf(const MapPane* pane, const SelectionSet& cells) const {
  const SharedHeatmap& map = pane->heatmap()->map();
  std::vector<CellBlock> blocks;
  // A set of another capture than the map's means nothing here.
  if (pane->xKind() != AxisKind::token || !map || cells.shape().n_tokens != map->columns()) {
    return blocks;
  }
  const int layers = selection()->modelLayers();
  const bool layered = pane->yKind() == AxisKind::layer && layers > 0 && map->rows() % layers == 0;
  if (cells.is_of_tokens() || !layered) {
    const Slice& slice = selection()->slice();
    const int row = cells.is_of_tokens() ? SelectionSet::kAnyRow
                                         : slice.layer * cells.shape().n_kv_heads + slice.kvHead;
    for (const TokenRange& range : cells.tokens(row)) blocks.push_back({range.first, range.last});
    return blocks;
  }
  const int heads = static_cast<int>(map->rows()) / layers;
  const int perLayer = cells.shape().n_kv_heads;
  for (const SelectionBox& box : cells.boxes()) {
    // Captured layers that are no neighbours in the model make blocks of their own.
    for (int row = box.first_row; row <= box.last_row;) {
      const auto numberOf = [&](int r) {
        return selection()->layerNumbers()[static_cast<std::size_t>(r / perLayer)];
      };
      const auto mapRow = [&](int r) {
        return heads == perLayer ? numberOf(r) * heads + r % perLayer : numberOf(r);
      };
      int last = row;
      while (last < box.last_row && mapRow(last + 1) - mapRow(last) <= 1) ++last;
      blocks.push_back({box.tokens.first, box.tokens.last, mapRow(row), mapRow(last)});
      row = last + 1;
    }
  }
  return blocks;
}

void MapView::step(MapPane* pane, int rows, int columns, bool extends) {
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
  if (!next) return;
  if (extends) {
    selection()->extendTo(*next);
  } else {
    selection()->lock(*next);
  }
}

}  // namespace qaq::views
