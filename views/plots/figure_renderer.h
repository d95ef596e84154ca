#pragma once

#include <memory>

#include "views/plots/figure_page.h"
#include "views/plots/plot_view.h"

namespace qaq::views {

/// Draws one view as a figure, without a window: the same code as on the screen, at the resolution
/// asked for. Needs a QApplication.
class FigureRenderer {
 public:
  using Style = FigureStyle;

  /// Waits until the view has computed what it shows. `cell` is locked, where it is given; `state`
  /// is what the view's viewState() gave. Throws
  /// Error{usage} where there is no view `id`, Error{input} where it has nothing to show.
  FigureRenderer(const QString& id, const SharedSlice& slice, const Style& style,
                 const std::optional<Cursor>& cell = std::nullopt, const QJsonObject& state = {});
  ~FigureRenderer();

  QImage image() const { return page().image(); }
  /// See FigurePage::save().
  void save(const QString& path) const { page().save(path); }

 private:
  FigurePage page() const;

  Style m_style;
  std::unique_ptr<SelectionModel> m_selection;
  std::unique_ptr<PlotView> m_view;
};

}  // namespace qaq::views
