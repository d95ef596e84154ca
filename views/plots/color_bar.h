#pragma once

#include "views/plots/color_map.h"
#include "views/plots/pane_footer.h"

namespace qaq::views {

/// A colour scale with ticks (on a logarithmic one on decades), and beside it what the colour is
/// and what the marks on the map mean.
class ColorBar : public PaneFooter {
  Q_OBJECT

 public:
  enum class Mark { none, outlier, violation };

  using PaneFooter::PaneFooter;
  void setScale(const ColorMap& colors, const QString& quantity);
  /// Explains the marks, with their sign before it. Of several wordings, longest first, the first
  /// is written that leaves the scale its room.
  void setNotes(Mark mark, const QStringList& notes);
  /// Share of what is shown that is evicted, with the sign that it has on the map; 0: nothing is.
  void setEvicted(double share) { m_evicted = share; }
  void setColors(const ColorMap& colors) override { m_colors = colors; }
  QString text() const override;

 protected:
  void draw(QCPPainter* painter) override;

 private:
  void drawBar(QCPPainter* painter, const QRectF& bar) const;
  QString evictedText(double room) const;
  void drawNote(QCPPainter* painter, const QString& note, const QPointF& left) const;

  ColorMap m_colors;
  QString m_quantity;
  Mark m_mark = Mark::none;
  QStringList m_notes;
  double m_evicted = 0;
};

}  // namespace qaq::views
