#pragma once

#include <optional>

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// Names written beside points of a panel, each where it covers no other and no point; one that
/// finds no such place is left out. One point can be circled, and those of A and B carry their
/// sign.
class PointLabels : public PlotOverlay {
  Q_OBJECT

 public:
  struct Label {
    QPointF at;  ///< on the axes
    QString text;
    bool isBold = false;
    bool isCircled = false;
    std::optional<int> compared{};  ///< kComparedA or kComparedB: letter, colour and sign of that
  };

  PointLabels(QCPAxisRect* axes, const QString& layer) : PlotOverlay(axes, layer), m_axes(axes) {}
  /// The first find their places first.
  void setLabels(const QList<Label>& labels) { m_labels = labels; }
  const QList<Label>& labels() const { return m_labels; }
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
  void drawSign(QCPPainter* painter, const QPointF& at, int which, const QColor& color) const;

  QCPAxisRect* m_axes;
  QList<Label> m_labels;
  QList<QLineF> m_strokes;
};

}  // namespace qaq::views
