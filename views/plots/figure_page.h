#pragma once

#include <QSize>
#include <QString>
#include <functional>
#include <qcustomplot.h>

#include "views/plots/theme.h"

namespace qaq::views {

/// How a figure is drawn.
struct FigureStyle {
  ThemeKind theme = ThemeKind::light;
  QSize size{};          ///< of the figure in px at 96 dpi; empty: its own
  double scale = 1;      ///< dots a px, of pictures
  QString provenance{};  ///< kept in the file: program, capture, parameters
  /// Whether a picture's file may do with its 256 most frequent colours, in half the bytes: only
  /// shades at the edges of letters and signs are changed.
  bool fewColors = false;
};

/// A drawing as a picture or a page, without a window. Needs a QApplication.
class FigurePage {
 public:
  /// Draws into a size in px at 96 dpi; what it draws must outlive the page.
  using Drawing = std::function<void(QCPPainter* painter, const QSize& size)>;

  /// `size` is used where the style has none.
  FigurePage(Drawing drawing, QString title, QSize size, FigureStyle style);

  QImage image() const;
  /// Writes .png or .pdf, by the name's ending, under a temporary name first. Throws Error{usage}
  /// for another ending and Error{work} where it cannot be written.
  void save(const QString& path) const;

 private:
  void paint(QCPPainter* painter) const;
  void writePdf(QIODevice* device) const;

  Drawing m_drawing;
  QString m_title;
  QSize m_size;
  FigureStyle m_style;
};

}  // namespace qaq::views
