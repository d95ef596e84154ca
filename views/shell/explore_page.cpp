#include "views/shell/explore_page.h"

#include <QHBoxLayout>
#include <QSplitter>
#include <algorithm>

#include "views/plots/figure_renderer.h"

namespace qaq::views {
namespace {

constexpr int kGap = 6;
constexpr int kCompactBelow = 760;  // px of page height

}  // namespace

ExplorePage::ExplorePage(SelectionModel* selection, QWidget* parent) : QWidget(parent) {
  auto* column = new QHBoxLayout(this);
  column->setContentsMargins(kGap, kGap, kGap, kGap);
  auto* splitter = new QSplitter(Qt::Vertical);
  splitter->setHandleWidth(kGap);
  splitter->setChildrenCollapsible(false);
  column->addWidget(splitter);
  auto* below = new QWidget;
  auto* row = new QHBoxLayout(below);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kGap);
  for (std::unique_ptr<PlotView>& made : makeViews(selection)) {
    PlotView* view = made.release();
    m_views.push_back(view);
    // A view of two panes takes a line of its own, so that panes stand in columns.
    if (view->panes().size() > 1) {
      splitter->addWidget(view);
    } else {
      row->addWidget(view, 1);
    }
  }
  splitter->addWidget(below);
  splitter->setSizes({1000, 1000});
  QList<QCPAxis*> tokens;
  for (const MapPane* pane : panes()) tokens.push_back(pane->xAxis);
  link(tokens);
  for (const PlotView* view : m_views) {
    QList<QCPAxis*> rows;
    for (const MapPane* pane : view->panes()) rows.push_back(pane->yAxis);
    link(rows);
  }
}

void ExplorePage::link(QList<QCPAxis*> axes) {
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

void ExplorePage::show(const SharedSlice& slice) {
  for (PlotView* view : m_views) view->show(slice);
}

void ExplorePage::setMessage(const QString& text) {
  for (MapPane* pane : panes()) pane->setMessage(text);
}

void ExplorePage::setTheme(const Theme& theme) {
  for (PlotView* view : m_views) view->setTheme(theme);
}

void ExplorePage::setUpdating(bool updating) {
  for (PlotView* view : m_views) view->setUpdating(updating);
}

void ExplorePage::resetZoom() {
  for (MapPane* pane : panes()) pane->resetZoom();
}

bool ExplorePage::isSettled() const {
  return std::all_of(m_views.begin(), m_views.end(),
                     [](const PlotView* view) { return view->isSettled(); });
}

PlotView* ExplorePage::view(const QString& id) const {
  for (PlotView* view : m_views) {
    if (view->id() == id) return view;
  }
  return nullptr;
}

QList<MapPane*> ExplorePage::panes() const {
  QList<MapPane*> all;
  for (const PlotView* view : m_views) all += view->panes();
  return all;
}

void ExplorePage::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  // Where height is dear, the upper row drops its x label and the shares of its legend.
  const bool compact = height() < kCompactBelow;
  for (const PlotView* view : m_views) {
    for (MapPane* pane : view->panes()) {
      const bool upper = view->panes().size() > 1;
      pane->setXLabelShown(!(compact && upper));
      pane->setCompact(compact && upper);
    }
  }
}

}  // namespace qaq::views
