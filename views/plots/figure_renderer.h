#pragma once

#include <memory>
#include <vector>

#include "views/plots/figure_page.h"
#include "views/plots/plot_view.h"

namespace qaq::views {

/// All views, in the order in which they are numbered. The list that `figure` and the window share.
std::vector<std::unique_ptr<PlotView>> makeViews(SelectionModel* selection);

/// Draws one view as a figure, without a window: the same code as on the screen, at the resolution
/// asked for. Needs a QApplication.
class FigureRenderer {
 public:
  using Style = FigureStyle;

  /// Throws Error{usage} where there is no view `id`.
  FigureRenderer(const QString& id, const SharedSlice& slice, const Style& style);
  ~FigureRenderer();

  /// Of every map in the figure.
  void setReducer(Reducer reducer);
  void setValueColors(ValueColors colors);

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
