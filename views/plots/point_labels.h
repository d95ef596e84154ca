#pragma once

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// Names written beside points of a panel, each where it covers no other and no point; one that
/// finds no such place is left out. One point can be circled.
class PointLabels : public PlotOverlay {
  Q_OBJECT

 public:
  struct Label {
    QPointF at;  ///< on the axes
    QString text;
    bool isBold = false;
    bool isCircled = false;
  };

  PointLabels(QCPAxisRect* axes, const QString& layer) : PlotOverlay(axes, layer), m_axes(axes) {}
  /// The first find their places first.
  void setLabels(const QList<Label>& labels) { m_labels = labels; }
  /// Level or upright strokes on the axes that labels do not cover.
  void setStrokes(const QList<QLineF>& strokes) { m_strokes = strokes; }
  /// Index of the label whose point is nearest to a place of the plot; -1 where none is near.
  int nearest(const QPointF& position) const;
  /// Where each text is written; an empty box where it is left out.
  QList<QRectF> boxes() const;

 protected:
  void draw(QCPPainter* painter) override;

 private:
  QPointF pixel(const QPointF& at) const;

  QCPAxisRect* m_axes;
  QList<Label> m_labels;
  QList<QLineF> m_strokes;
};

}  // namespace qaq::views
