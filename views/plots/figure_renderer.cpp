#include "views/plots/figure_renderer.h"

#include "core/base/error.h"
#include "views/plots/attention_map_view.h"
#include "views/plots/bit_map_view.h"
#include "views/plots/outlier_map_view.h"

namespace qaq::views {
namespace {

constexpr int kPaneGap = 6;
const QSize kPaneSize(720, 460);

std::unique_ptr<PlotView> viewOf(const QString& id, SelectionModel* selection) {
  std::string names;
  for (std::unique_ptr<PlotView>& view : makeViews(selection)) {
    if (view->id() == id) return std::move(view);
    names += (names.empty() ? "" : ", ") + view->id().toStdString();
  }
  refuse_usage({.place = "figure",
                .what = "there is no view '" + id.toStdString() + "'",
                .cure = "choose one of " + names});
}

}  // namespace

std::vector<std::unique_ptr<PlotView>> makeViews(SelectionModel* selection) {
  std::vector<std::unique_ptr<PlotView>> views;
  views.push_back(std::make_unique<BitMapView>(selection));
  views.push_back(std::make_unique<OutlierMapView>(selection));
  views.push_back(std::make_unique<AttentionMapView>(selection));
  return views;
}

FigureRenderer::FigureRenderer(const QString& id, const SharedSlice& slice, const Style& style)
    : m_style(style),
      m_selection(std::make_unique<SelectionModel>()),
      m_view(viewOf(id, m_selection.get())) {
  m_selection->reset(slice->analysis->capture->info(), slice->slice);
  m_view->setTheme(Theme::of(style.theme));
  m_view->show(slice);
}

FigureRenderer::~FigureRenderer() = default;

void FigureRenderer::setReducer(Reducer reducer) {
  for (MapPane* pane : m_view->panes()) pane->setReducer(reducer);
}

void FigureRenderer::setValueColors(ValueColors colors) {
  for (MapPane* pane : m_view->panes()) pane->setValueColors(colors);
}

FigurePage FigureRenderer::page() const {
  const auto& panes = m_view->panes();
  const auto n = static_cast<int>(panes.size());
  const QSize size(n * kPaneSize.width() + (n - 1) * kPaneGap, kPaneSize.height());
  return {{panes.begin(), panes.end()}, m_view->title(), size, m_style};
}

}  // namespace qaq::views
