#pragma once

#include "views/plots/color_map.h"
#include "views/plots/pane_footer.h"

namespace qaq::views {

/// A logarithmic colour scale with ticks on decades, and beside it what the colour is and what the
/// marks on the map mean.
class ColorBar : public PaneFooter {
  Q_OBJECT

 public:
  enum class Mark { none, outlier, violation };

  using PaneFooter::PaneFooter;
  void setScale(const ColorMap& colors, const QString& quantity);
  /// `note` explains the marks; its sign is drawn before it.
  void setNote(Mark mark, const QString& note);
  QString text() const override { return m_quantity + QStringLiteral("; ") + m_note; }

 protected:
  void draw(QCPPainter* painter) override;

 private:
  void drawBar(QCPPainter* painter, const QRectF& bar) const;
  void drawNote(QCPPainter* painter, const QPointF& left, double middle) const;

  ColorMap m_colors;
  QString m_quantity;
  Mark m_mark = Mark::none;
  QString m_note;
};

}  // namespace qaq::views
