#include "views/shell/plot_page.h"

#include <QHBoxLayout>
#include <QSplitter>
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "views/plots/map_pane.h"
#include "views/plots/view_list.h"

namespace qaq::views {
namespace {

constexpr Px<int> kGap{6};

}  // namespace

PlotPage::PlotPage(PageLayout layout, SelectionModel* selection, QWidget* parent)
    : QWidget(parent), m_layout(std::move(layout)) {
  auto* column = new QHBoxLayout(this);
  column->setContentsMargins(kGap, kGap, kGap, kGap);
  auto* splitter = new QSplitter(Qt::Vertical);
  splitter->setHandleWidth(kGap);
  splitter->setChildrenCollapsible(false);
  column->addWidget(splitter);
  for (const QStringList& ids : m_layout.rows) {
    auto* line = new QWidget;
    // No handles across: panes of a column stand under each other.
    auto* row = new QHBoxLayout(line);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGap);
    std::vector<PlotView*>& views = m_rows.emplace_back();
    for (const QString& id : ids) {
      PlotView* view = makeView(id, selection).release();
      views.push_back(view);
      m_views.push_back(view);
      row->addWidget(view, std::max(1, static_cast<int>(view->panes().size())));
    }
    splitter->addWidget(line);
  }
  splitter->setSizes(QList<int>(m_layout.rows.size(), 1000));
}

void PlotPage::linkAxes() {
  // Kinds are known once there is something to show.
  if (m_linked) return;
  m_linked = true;
  std::map<std::pair<bool, AxisKind>, QList<QCPAxis*>> kinds;
  for (const MapPane* pane : panes()) {
    kinds[{true, pane->xKind()}].push_back(pane->xAxis);
    kinds[{false, pane->yKind()}].push_back(pane->yAxis);
  }
  for (const auto& [kind, axes] : kinds) {
    if (kind.second != AxisKind::none) link(axes);
  }
}

void PlotPage::link(QList<QCPAxis*> axes) {
  for (QCPAxis* axis : axes) {
    connect(axis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this,
            [this, axis, axes](const QCPRange&) {
              if (m_linking) return;
              m_linking = true;
              for (QCPAxis* other : axes) {
                if (other == axis) continue;
                other->setRange(axis->range());
                other->parentPlot()->replot(QCustomPlot::rpQueuedReplot);
              }
              m_linking = false;
            });
  }
}

void PlotPage::show(const SharedSlice& slice) {
  m_slice = slice;
  if (isVisible()) present();
}

void PlotPage::present() {
  if (!m_slice || m_presented == m_slice) return;
  m_presented = m_slice;
  for (PlotView* view : m_views) view->show(m_blink && !view->isOfBoth() ? m_blink : m_slice);
  linkAxes();
}

void PlotPage::blink(const SharedSlice& a) {
  if (m_blink == a) return;
  m_blink = a;
  m_presented = nullptr;
  if (isVisible()) present();
}

void PlotPage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  present();
}

void PlotPage::setMessage(const QString& text) {
  m_slice = nullptr;
  m_presented = nullptr;
  for (PlotView* view : m_views) view->setMessage(text);
}

void PlotPage::setTheme(const Theme& theme) {
  for (PlotView* view : m_views) view->setTheme(theme);
}

void PlotPage::setUpdating(bool updating) {
  for (PlotView* view : m_views) view->setUpdating(updating);
}

void PlotPage::resetZoom() {
  for (PlotView* view : m_views) view->resetZoom();
}

bool PlotPage::isSettled() const {
  if (!isVisible()) return true;
  return m_presented == m_slice &&
         std::ranges::all_of(m_views, [](const PlotView* view) { return view->isSettled(); });
}

PlotView* PlotPage::view(const QString& id) const {
  const auto found =
      std::ranges::find_if(m_views, [&](const PlotView* view) { return view->id() == id; });
  return found == m_views.end() ? nullptr : *found;
}

QList<MapPane*> PlotPage::panes() const {
  QList<MapPane*> all;
  for (const PlotView* view : m_views) all += view->panes();
  return all;
}

void PlotPage::paintFigure(QCPPainter* painter, const QSize& size) {
  // Where the views stand, without the page's margins.
  QRect all;
  for (const PlotView* view : m_views) all |= QRect(view->mapTo(this, QPoint()), view->size());
  const double across = static_cast<double>(size.width()) / std::max(1, all.width());
  const double down = static_cast<double>(size.height()) / std::max(1, all.height());
  for (PlotView* view : m_views) {
    const QPoint at = view->mapTo(this, QPoint()) - all.topLeft();
    painter->save();
    painter->translate(std::round(at.x() * across), std::round(at.y() * down));
    view->paintFigure(painter, QSizeF(view->width() * across, view->height() * down).toSize());
    painter->restore();
  }
}

void PlotPage::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fitHeight();
}

void PlotPage::setCompactBelow(int px, bool allRows) {
  m_compactBelow = px;
  m_compactAll = allRows;
  fitHeight();
}

void PlotPage::fitHeight() {
  // Where height is dear, rows drop what the lowest one says again.
  const bool compact = height() < m_compactBelow;
  for (const std::vector<PlotView*>& row : m_rows) {
    const bool lowest = &row == &m_rows.back();
    for (PlotView* view : row) view->setCompact(compact && (m_compactAll || !lowest));
  }
}

}  // namespace qaq::views
