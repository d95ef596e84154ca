#include "views/shell/view_links.h"

#include <algorithm>

#include "views/plots/broke_view.h"
#include "views/plots/distribution_view.h"
#include "views/plots/formula_view.h"

namespace qaq::views {

ViewLinks::ViewLinks(PageStack* pages, Workspace* workspace, RunList* runs, QObject* parent)
    : QObject(parent),
      m_pages(pages),
      m_workspace(workspace),
      m_runs(runs),
      m_stored(workspace, runs) {
  connect(pages, &PageStack::pagesChanged, this, &ViewLinks::linkAll);
  connect(runs, &RunList::changed, this, &ViewLinks::handOut);
  linkAll();
}

void ViewLinks::linkAll() {
  for (int i = 0; i < m_pages->count(); ++i) link(m_pages->page(i));
}

void ViewLinks::link(PlotPage* page) {
  if (m_pages->indexOf(page) < 0) m_others.push_back(page);
  for (PlotView* view : page->views()) {
    if (auto* distributions = qobject_cast<DistributionView*>(view)) {
      connect(distributions, &DistributionView::outliersRatioChosen, this, &ViewLinks::chooseRatio);
    } else if (auto* tradeoff = qobject_cast<TradeoffView*>(view)) {
      tradeoff->setRuns(runs());
      connect(tradeoff, &TradeoffView::runChosen, this, [this, tradeoff](int index) {
        chooseRun(tradeoff->runs()[static_cast<std::size_t>(index)]);
      });
    } else if (auto* formula = qobject_cast<FormulaView*>(view)) {
      connect(formula, &FormulaView::symbolHovered, this, &ViewLinks::nameHovered);
    } else if (auto* broke = qobject_cast<BrokeView*>(view)) {
      connect(broke, &BrokeView::stepChosen, this, &ViewLinks::stepChosen);
    }
  }
}

TradeoffView::Runs ViewLinks::runs() const {
  return std::make_shared<const std::vector<RunSummary>>(m_runs->summaries());
}

void ViewLinks::handOut() {
  QList<PlotPage*> pages;
  for (int i = 0; i < m_pages->count(); ++i) pages.push_back(m_pages->page(i));
  for (const QPointer<PlotPage>& page : m_others) {
    if (page) pages.push_back(page);
  }
  for (const PlotPage* page : pages) {
    for (PlotView* view : page->views()) {
      if (auto* tradeoff = qobject_cast<TradeoffView*>(view)) tradeoff->setRuns(runs());
    }
  }
}

void ViewLinks::chooseRatio(CacheSide side, double ratio, bool isFinal) {
  ScopeParams params = m_workspace->params();
  if (!params.uses_qaq()) return;  // of a picture that another policy takes the place of
  (side == CacheSide::key ? params.qaq.key : params.qaq.value).outliers_ratio = ratio;
  emit paramsChosen(params, isFinal);
}

void ViewLinks::chooseRun(const RunSummary& run) {
  const auto& all = m_runs->runs();
  const auto found = std::ranges::find_if(
      all, [&](const RunList::Run& other) { return same_setting(other.summary, run); });
  if (found != all.end()) emit runChosen(static_cast<int>(found - all.begin()));
}

}  // namespace qaq::views
