#include "views/plots/figure_renderer.h"

#include <QCoreApplication>

#include "core/base/error.h"
#include "views/plots/view_list.h"

namespace qaq::views {

FigureRenderer::FigureRenderer(const QString& id, const SharedSlice& slice, const Style& style,
                               const std::optional<Cursor>& cell, const QJsonObject& state)
    : m_style(style),
      m_selection(std::make_unique<SelectionModel>()),
      m_view(makeView(id, m_selection.get())) {
  m_selection->reset(slice->analysis->capture->info(), slice->slice);
  if (cell) m_selection->lock(*cell);
  m_view->setTheme(Theme::of(style.theme));
  m_view->setViewState(state);
  m_view->show(slice);
  while (!m_view->isReady()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  if (const QString error = m_view->error(); !error.isEmpty()) {
    throw Error(ErrorKind::input, {.file = slice->analysis->capture->info().name,
                                   .place = id.toStdString(),
                                   .what = error.toStdString()});
  }
}

FigureRenderer::~FigureRenderer() = default;

FigurePage FigureRenderer::page() const {
  return {[this](QCPPainter* painter, const QSize& size) { m_view->paintFigure(painter, size); },
          m_view->title(), m_view->figureSize(), m_style};
}

}  // namespace qaq::views
