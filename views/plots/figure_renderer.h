#pragma once

#include <QSize>
#include <QString>
#include <memory>
#include <vector>

#include "views/plots/plot_view.h"

namespace qaq::views {

/// All views, in the order in which they are numbered. The list that `figure` and the window share.
std::vector<std::unique_ptr<PlotView>> makeViews(SelectionModel* selection);

/// Draws one view as a figure, without a window: the same code as on the screen, at the resolution
/// asked for. Needs a QApplication.
class FigureRenderer {
 public:
  struct Style {
    ThemeKind theme = ThemeKind::light;
    QSize size{};          ///< of the figure in px at 96 dpi; empty: the view's own
    double scale = 1;      ///< dots a px, of pictures
    QString provenance{};  ///< kept in the file: program, capture, parameters
  };

  /// Throws Error{usage} where there is no view `id`.
  FigureRenderer(const QString& id, const SharedSlice& slice, const Style& style);
  ~FigureRenderer();

  QImage image() const;
  /// Writes .png or .pdf, by the name's ending, under a temporary name first. Throws Error{usage}
  /// for another ending and Error{work} where it cannot be written.
  void save(const QString& path) const;

 private:
  void paint(QCPPainter* painter) const;
  void writePdf(QIODevice* device) const;

  Style m_style;
  QSize m_size;
  std::unique_ptr<SelectionModel> m_selection;
  std::unique_ptr<PlotView> m_view;
};

}  // namespace qaq::views
