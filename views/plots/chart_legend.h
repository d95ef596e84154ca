#pragma once

#include <qcustomplot.h>

#include "core/analysis/chart.h"
#include "views/plots/chart_look.h"

namespace qaq::views {

/// What the signs of all panels of a chart mean: each name once, in rows as wide as the chart.
class ChartLegend : public QCPLayoutElement {
  Q_OBJECT

 public:
  explicit ChartLegend(QCustomPlot* plot);

  void setChart(const Chart& chart, const Theme& theme);
  /// px that the entries need at this width, px.
  int heightFor(int width) const;
  /// Takes that height.
  void fit(int width);
  QStringList names() const;

 protected:
  void draw(QCPPainter* painter) override;
  void applyDefaultAntialiasingHint(QCPPainter* painter) const override;

 private:
  struct Entry {
    QString name;
    ChartMark mark;
    ChartLook look;
  };
  /// Where entries begin, from the element's corner.
  QList<QPointF> places(double width) const;
  static void drawSample(QCPPainter* painter, const QRectF& box, const Entry& entry);

  QList<Entry> m_entries;
  QColor m_ink;
};

}  // namespace qaq::views
