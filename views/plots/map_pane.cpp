#include "views/plots/map_pane.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "views/plots/badge.h"

namespace qaq::views {
namespace {

constexpr Px<int> kBottomMargin{44}, kBottomMarginBare{22};
constexpr double kClickReach = 4;   // px: a press that moves further is a drag
constexpr double kFewestCells = 4;  // of a side, at the deepest zoom

}  // namespace

MapPane::MapPane(QWidget* parent) : QCustomPlot(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  setNotAntialiasedElements(QCP::aeAll);
  addLayer(kMarksLayer, layer("main"), QCustomPlot::limAbove);
  addLayer("cursor", layer("axes"), QCustomPlot::limAbove);
  layer("cursor")->setMode(QCPLayer::lmBuffered);
  addLayer(kLabelsLayer, layer("cursor"), QCustomPlot::limAbove);
  setMinimumSize(180 + kLeftMargin + kRightMargin, 200);
  plotLayout()->setRowSpacing(0);
  plotLayout()->insertRow(0);
  m_header = new PaneHeader(this);
  plotLayout()->addElement(0, 0, m_header);
  m_button = new ReducerButton(this);
  connect(m_button, &ReducerButton::reducerChosen, this, &MapPane::setReducer);
  connect(m_button, &ReducerButton::valueColorsChosen, this, &MapPane::setValueColors);
  setUpAxes();
  m_heatmap = new HeatmapPlottable(xAxis, yAxis);
  m_selection = new SelectionMarks(axisRect(), kMarksLayer);
  m_cursor = new CursorMarks(axisRect(), "cursor");
  m_frame = new PlotFrame(axisRect(), "axes");
  m_message = new PlotMessage(axisRect(), kMarksLayer);
  auto* badge = new Badge(axisRect(), "axes", m_heatmap);
  for (PlotOverlay* overlay :
       std::initializer_list<PlotOverlay*>{m_selection, badge, m_cursor, m_frame, m_message}) {
    addOverlay(overlay);
  }
}

void MapPane::setUpAxes() {
  axisRect()->setAutoMargins(QCP::msNone);
  axisRect()->setRangeZoomFactor(0.8);
  m_xTicker.reset(new CellTicker(xAxis));
  m_yTicker.reset(new CellTicker(yAxis));
  xAxis->setTicker(m_xTicker);
  yAxis->setTicker(m_yTicker);
  yAxis->setRangeReversed(true);
  for (QCPAxis* axis : {xAxis, yAxis}) {
    axis->grid()->setVisible(false);
    axis->setBasePen(Qt::NoPen);
    axis->setSubTicks(false);
    axis->setTickLength(0, 4);
    axis->setTickLabelPadding(3);
    axis->setTickLabelFont(Theme::font(Theme::kTickPx));
    axis->setLabelFont(Theme::font(Theme::kLabelPx));
  }
  connect(xAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, [this] {
    if (m_heatmap->map()) keepInside(xAxis, m_heatmap->map()->columns());
  });
  connect(yAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, [this] {
    if (m_heatmap->map()) keepInside(yAxis, m_heatmap->map()->rows());
  });
  applyMargins();
}

void MapPane::keepInside(QCPAxis* axis, std::int64_t count) {
  const double upper = static_cast<double>(count) - 0.5;
  QCPRange range = axis->range().bounded(-0.5, upper);
  const double least = std::min(kFewestCells, static_cast<double>(count));
  if (range.size() < least) {
    const double centre = range.center();
    range = QCPRange(centre - least / 2, centre + least / 2).bounded(-0.5, upper);
  }
  if (range != axis->range()) axis->setRange(range);
}

void MapPane::applyMargins() {
  axisRect()->setMargins(QMargins(kLeftMargin, wholePx(m_topMargin), kRightMargin,
                                  m_xLabelShown ? kBottomMargin : kBottomMarginBare));
  xAxis->setLabel(m_xLabelShown ? m_xLabel : QString());
}

void MapPane::setMap(const SharedHeatmap& map, const ColorMap& colors) {
  if (!m_ownReducer) m_ownReducer = reducer();
  const SharedHeatmap before = m_heatmap->map();
  const bool same_size =
      before && before->rows() == map->rows() && before->columns() == map->columns();
  m_message->setText({});
  m_heatmap->setMap(map, colors);
  applyColors();
  if (!same_size) resetZoom();
  describe();
  // The new picture comes with its legend and title, in one replot.
  if (!same_size || !m_heatmap->askAhead()) replot(rpQueuedReplot);
}

void MapPane::setMessage(const QString& text) {
  m_heatmap->setMap(nullptr, {});
  m_message->setText(text);
  describe();
  replot(rpQueuedReplot);
}

void MapPane::setAxisLabels(const QString& x, const QString& y) {
  m_xLabel = x;
  yAxis->setLabel(y);
  applyMargins();
}

void MapPane::setAxisKinds(AxisKind x, AxisKind y) {
  m_xKind = x;
  m_yKind = y;
}

void MapPane::setHeadings(const QString& title, const QStringList& subtitles) {
  m_title = title;
  m_subtitles = subtitles;
  applyHeadings();
}

void MapPane::applyHeadings() {
  QStringList wordings;
  for (const QString& subtitle : m_subtitles) {
    wordings.push_back(subtitle + QStringLiteral(" · ") + reducerText(reducer()));
  }
  // Where even the shortest has no room for it, the button says it alone.
  if (!m_subtitles.isEmpty()) wordings.push_back(m_subtitles.last());
  m_header->setTitle(m_title);
  m_header->setSubtitles(wordings);
}

void MapPane::setReducer(Reducer reducer) {
  if (reducer == m_heatmap->reducer()) return;
  m_heatmap->setReducer(reducer);
  m_button->setReducer(reducer);
  placeButton();
  applyHeadings();
  describe();
  emit reducerChanged(reducer);
  replot(rpQueuedReplot);
}

void MapPane::setValueColors(ValueColors colors) {
  if (colors == m_valueColors) return;
  m_valueColors = colors;
  m_button->setValueColors(colors);
  applyColors();
  emit valueColorsChanged(colors);
  replot(rpQueuedReplot);
}

void MapPane::applyColors() {
  const ColorMap::Kind kind = m_heatmap->colors().kind();
  m_button->setValueColorsOffered(kind == ColorMap::Kind::sequential);
  m_button->setFarthestOffered(kind == ColorMap::Kind::diverging &&
                               m_heatmap->colors().scale() == ColorMap::Scale::linear);
  if (kind == ColorMap::Kind::bits) return;
  const Palette& palette = m_theme.palette();
  const ColorMap colors = m_heatmap->colors().withTable(
      kind == ColorMap::Kind::sequential ? palette.values(m_valueColors) : palette.diverging());
  m_heatmap->setColors(colors);
  if (m_footer) m_footer->setColors(colors);
}

void MapPane::placeButton() {
  const QSize size = m_button->sizeHint();
  constexpr Px<int> kFromBorder{6};
  m_button->setGeometry(width() - size.width() - kFromBorder,
                        (PaneHeader::kHeight - size.height()) / 2 + 1, size.width(), size.height());
  m_header->setButtonRoom(size.width());
}

void MapPane::resetZoom() {
  if (!m_heatmap->map()) return;
  xAxis->setRange(-0.5, static_cast<double>(m_heatmap->map()->columns()) - 0.5);
  yAxis->setRange(-0.5, static_cast<double>(m_heatmap->map()->rows()) - 0.5);
  replot(rpQueuedReplot);
}

bool MapPane::isZoomed() const {
  const SharedHeatmap& map = m_heatmap->map();
  if (!map) return false;
  const auto shows = [](const QCPAxis* axis, std::int64_t count) {
    return axis->range() == QCPRange(-0.5, static_cast<double>(count) - 0.5);
  };
  return !shows(xAxis, map->columns()) || !shows(yAxis, map->rows());
}

void MapPane::setFooter(PaneFooter* footer) {
  if (m_footer == footer) return;
  if (m_footer) {
    plotLayout()->take(m_footer);
    m_footer->setVisible(false);
  }
  m_footer = footer;
  plotLayout()->addElement(2, 0, footer);
  footer->setVisible(true);
  footer->setTheme(m_theme);
  footer->setCompact(m_compact);
}

void MapPane::setTopMargin(int px) {
  m_topMargin = px;
  applyMargins();
}

void MapPane::addOverlay(PlotOverlay* overlay) { m_overlays.push_back(overlay); }

void MapPane::setTheme(const Theme& theme) {
  m_theme = theme;
  setBackground(QBrush(theme.surface));
  for (QCPAxis* axis : {xAxis, yAxis}) {
    axis->setTickPen(QPen(theme.frame, px(1)));
    axis->setTickLabelColor(theme.muted);
    axis->setLabelColor(theme.text);
  }
  m_heatmap->setTheme(theme);
  applyColors();
  m_button->setTheme(theme);
  placeButton();
  m_header->setTheme(theme);
  if (m_footer) m_footer->setTheme(theme);
  for (PlotOverlay* overlay : m_overlays) overlay->setTheme(theme);
  replot(rpQueuedReplot);
}

void MapPane::setUpdating(bool updating) {
  m_header->setState(updating ? tr("updating") : QString());
  m_frame->setUpdating(updating && m_heatmap->map() != nullptr);
  if (m_footer) m_footer->setUpdating(updating);
  replot(rpQueuedReplot);
}

void MapPane::setXLabelShown(bool shown) {
  m_xLabelShown = shown;
  applyMargins();
  replot(rpQueuedReplot);
}

void MapPane::setCompact(bool compact) {
  m_compact = compact;
  if (m_footer) m_footer->setCompact(compact);
  replot(rpQueuedReplot);
}

void MapPane::setHovered(const MarkedCell& cell) {
  m_cursor->setHovered(cell);
  layer("cursor")->replot();
}

void MapPane::setLocked(const MarkedCell& cell) {
  m_cursor->setLocked(cell);
  replot(rpQueuedReplot);
}

void MapPane::setPinned(const MarkedCell& cell) {
  m_cursor->setPinned(cell);
  replot(rpQueuedReplot);
}

void MapPane::setSelected(std::vector<CellBlock> blocks) {
  if (blocks == m_selection->selected()) return;
  m_selection->setSelected(std::move(blocks));
  replot(rpQueuedReplot);
}

void MapPane::setVeiled(std::vector<CellBlock> blocks) {
  if (blocks == m_selection->veiled()) return;
  m_selection->setVeiled(std::move(blocks));
  replot(rpQueuedReplot);
}

QPointF MapPane::cellCentre(std::int64_t row, std::int64_t column) const {
  return CellFrame(*axisRect()).cell(row, column).center();
}

QString MapPane::summary() const {
  QString text = m_message->text();
  if (text.isEmpty() && m_footer) text = m_footer->text();
  return text.isEmpty() ? m_header->text() : m_header->text() + QStringLiteral(": ") + text;
}

void MapPane::describe() {
  setAccessibleName(m_header->text());
  setAccessibleDescription(summary());
}

std::optional<MapPane::CellIndex> MapPane::cellAt(const QPointF& position) const {
  const SharedHeatmap& map = m_heatmap->map();
  const CellFrame cells(*axisRect());
  if (!map || !cells.plot().contains(position)) return std::nullopt;
  const auto row = static_cast<int>(std::floor(cells.rowAt(position.y())));
  const auto column = static_cast<int>(std::floor(cells.columnAt(position.x())));
  if (row < 0 || column < 0 || row >= map->rows() || column >= map->columns()) return std::nullopt;
  return CellIndex{row, column};
}

void MapPane::updateLayout() {
  // Ticks are made before the axes get their size: the second pass sees it.
  QCustomPlot::updateLayout();
  QCustomPlot::updateLayout();
}

void MapPane::resizeEvent(QResizeEvent* event) {
  QCustomPlot::resizeEvent(event);
  placeButton();
}

std::optional<CellBlock> MapPane::blockOf(const QPointF& from, const QPointF& to) const {
  const SharedHeatmap& map = m_heatmap->map();
  if (!map) return std::nullopt;
  const CellFrame cells(*axisRect());
  const QRectF& plot = cells.plot();
  // Along one row the band has no height: it still touches that row.
  const auto inside = [&](const QPointF& at) {
    return QPointF(std::clamp(at.x(), plot.left(), plot.right() - 1),
                   std::clamp(at.y(), plot.top(), plot.bottom() - 1));
  };
  const QPointF a = inside(from), b = inside(to);
  const auto index = [](double at, std::int64_t count) {
    return static_cast<int>(
        std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(at)), 0, count - 1));
  };
  return CellBlock{.firstColumn = index(cells.columnAt(std::min(a.x(), b.x())), map->columns()),
                   .lastColumn = index(cells.columnAt(std::max(a.x(), b.x())), map->columns()),
                   .firstRow = index(cells.rowAt(std::min(a.y(), b.y())), map->rows()),
                   .lastRow = index(cells.rowAt(std::max(a.y(), b.y())), map->rows())};
}

bool MapPane::drawsBox(const QMouseEvent& event) const {
  const auto asking = Qt::ShiftModifier | Qt::ControlModifier | Qt::AltModifier;
  return event.button() == Qt::LeftButton && m_heatmap->map() &&
         (m_boxTool || (event.modifiers() & asking)) && cellAt(event.position());
}

void MapPane::mousePressEvent(QMouseEvent* event) {
  m_pressed = event->position();
  if (drawsBox(*event)) {
    m_band = std::make_unique<QRubberBand>(QRubberBand::Rectangle, this);
    return;  // QCustomPlot would pan
  }
  QCustomPlot::mousePressEvent(event);
}

void MapPane::mouseMoveEvent(QMouseEvent* event) {
  if (m_band) {
    m_band->setGeometry(QRectF(m_pressed, event->position()).normalized().toAlignedRect());
    m_band->show();
    return;
  }
  QCustomPlot::mouseMoveEvent(event);
  if (event->buttons() != Qt::NoButton) return;
  if (const auto cell = cellAt(event->position())) {
    emit cellHovered(cell->row, cell->column);
  } else {
    emit cellLeft();
  }
}

void MapPane::endBox(QMouseEvent* event) {
  m_band.reset();
  if (const auto block = blockOf(m_pressed, event->position()))
    emit boxDragged(*block, event->modifiers());
}

void MapPane::mouseReleaseEvent(QMouseEvent* event) {
  const bool still = QLineF(m_pressed, event->position()).length() < kClickReach;
  if (m_band && !still) {
    endBox(event);
    return;
  }
  const bool boxed = std::exchange(m_band, nullptr) != nullptr;
  if (!boxed) QCustomPlot::mouseReleaseEvent(event);
  if (!still || event->button() != Qt::LeftButton) return;
  if (const auto cell = cellAt(event->position())) {
    emit cellClicked(cell->row, cell->column, event->position(), event->modifiers());
  }
}

void MapPane::leaveEvent(QEvent* event) {
  QCustomPlot::leaveEvent(event);
  emit cellLeft();
}

void MapPane::keyPressEvent(QKeyEvent* event) {
  const bool extends = event->modifiers() & Qt::ShiftModifier;
  switch (event->key()) {
    case Qt::Key_Left:
      emit cursorStepped(0, -1, extends);
      return;
    case Qt::Key_Right:
      emit cursorStepped(0, 1, extends);
      return;
    case Qt::Key_Up:
      emit cursorStepped(-1, 0, extends);
      return;
    case Qt::Key_Down:
      emit cursorStepped(1, 0, extends);
      return;
    default:
      QCustomPlot::keyPressEvent(event);
  }
}

void MapPane::focusInEvent(QFocusEvent* event) {
  QCustomPlot::focusInEvent(event);
  const Qt::FocusReason reason = event->reason();
  m_ring = reason == Qt::TabFocusReason || reason == Qt::BacktabFocusReason;
  update();
}

void MapPane::focusOutEvent(QFocusEvent* event) {
  QCustomPlot::focusOutEvent(event);
  m_ring = false;
  update();
}

void MapPane::paintEvent(QPaintEvent* event) {
  QCustomPlot::paintEvent(event);
  // The frame of the pane and the focus ring belong to the window, not to figures.
  QPainter painter(this);
  painter.setPen(QPen(m_ring ? m_theme.accent : m_theme.border, m_ring ? 2 : 1));
  painter.drawRect(m_ring ? rect().adjusted(1, 1, -1, -1) : rect().adjusted(0, 0, -1, -1));
}

}  // namespace qaq::views
