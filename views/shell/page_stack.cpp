#include "views/shell/page_stack.h"

#include <QTabBar>
#include <algorithm>

#include "views/panels/slice_bar.h"

namespace qaq::views {

PageStack::PageStack(SelectionModel* selection, QWidget* parent)
    : QTabWidget(parent), m_selection(selection) {
  setObjectName(QStringLiteral("pages"));
  setAccessibleName(tr("Pages"));
  setPages(builtIn());
}

QList<PageLayout> PageStack::builtIn() {
  return {{tr("Bits"),
           {{QStringLiteral("bits")}, {QStringLiteral("outliers"), QStringLiteral("attention")}}},
          {tr("Persistence"), {{QStringLiteral("persistence")}}},
          {tr("Errors"), {{QStringLiteral("errors")}}},
          {tr("Distributions"), {{QStringLiteral("distributions")}}},
          {tr("Trade-off"), {{QStringLiteral("tradeoff"), QStringLiteral("memory")}}},
          {tr("A and B"),
           {{QStringLiteral("compare")}, {QStringLiteral("overlay"), QStringLiteral("tradeoff")}}},
          {tr("Diagnosis"),
           {{QStringLiteral("broke")}, {QStringLiteral("where"), QStringLiteral("heads")}}}};
}

void PageStack::resizeEvent(QResizeEvent* event) {
  if (auto* bar = qobject_cast<SliceBar*>(cornerWidget())) {
    bar->fit(width() - tabBar()->sizeHint().width());
  }
  QTabWidget::resizeEvent(event);
}

void PageStack::setPages(const QList<PageLayout>& layouts) {
  while (count() > 0) {
    QWidget* old = widget(0);
    removeTab(0);
    delete old;
  }
  for (const PageLayout& layout : layouts) insertPage(layout);
  emit pagesChanged();
}

void PageStack::addPage(const PageLayout& layout) {
  insertPage(layout);
  emit pagesChanged();
}

void PageStack::insertPage(const PageLayout& layout) {
  auto* made = new PlotPage(layout, m_selection);
  made->setTheme(m_theme);
  if (!m_message.isEmpty()) made->setMessage(m_message);
  if (m_slice) made->show(m_slice);
  addTab(made, layout.title);
}

void PageStack::closePage(int index) {
  QWidget* closed = widget(index);
  removeTab(index);
  delete closed;
  emit pagesChanged();
}

QList<PageLayout> PageStack::layouts() const {
  QList<PageLayout> all;
  for (const PlotPage* each : pages()) all.push_back(each->pageLayout());
  return all;
}

PlotPage* PageStack::page(int index) const { return static_cast<PlotPage*>(widget(index)); }

QList<PlotPage*> PageStack::pages() const {
  QList<PlotPage*> all;
  for (int i = 0; i < count(); ++i) all.push_back(page(i));
  return all;
}

PlotView* PageStack::view(const QString& id) const {
  for (const PlotPage* each : pages()) {
    if (PlotView* found = each->view(id)) return found;
  }
  return nullptr;
}

bool PageStack::bringUp(const QString& id) {
  for (PlotPage* each : pages()) {
    if (!each->view(id)) continue;
    setCurrentWidget(each);
    return true;
  }
  return false;
}

bool PageStack::bringBack(const QString& id) {
  if (bringUp(id)) return true;
  for (const PageLayout& layout : builtIn()) {
    const bool holds =
        std::ranges::any_of(layout.rows, [&](const QStringList& row) { return row.contains(id); });
    if (!holds) continue;
    addPage(layout);
    return bringUp(id);
  }
  return false;
}

void PageStack::show(const SharedSlice& slice) {
  m_slice = slice;
  m_message.clear();
  for (PlotPage* each : pages()) each->show(slice);
}

void PageStack::blink(const SharedSlice& a) {
  for (PlotPage* each : pages()) each->blink(a);
}

void PageStack::setMessage(const QString& text) {
  m_slice = nullptr;
  m_message = text;
  for (PlotPage* each : pages()) each->setMessage(text);
}

void PageStack::setTheme(const Theme& theme) {
  m_theme = theme;
  for (PlotPage* each : pages()) each->setTheme(theme);
}

void PageStack::setUpdating(bool updating) {
  for (PlotPage* each : pages()) each->setUpdating(updating);
}

void PageStack::resetZoom() {
  for (PlotPage* each : pages()) each->resetZoom();
}

bool PageStack::isSettled() const {
  const QList<PlotPage*> all = pages();
  return std::ranges::all_of(all, [](const PlotPage* each) { return each->isSettled(); });
}

}  // namespace qaq::views
