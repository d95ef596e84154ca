#include "views/plots/plot_frame.h"

namespace qaq::views {

void PlotFrame::draw(QCPPainter* painter) {
  const QRectF plot = frame().plot();
  if (m_updating) {
    painter->setPen(QPen(theme().halo, px(1)));
    for (double x = plot.left() - plot.height(); x < plot.right(); x += 24) {
      painter->drawLine(QLineF(x, plot.bottom(), x + plot.height(), plot.top()));
    }
  }
  painter->setBrush(Qt::NoBrush);
  painter->setPen(QPen(theme().frame, px(1)));
  painter->drawRect(QRectF(plot.left() - 1, plot.top() - 1, plot.width() + 1, plot.height() + 1));
}

}  // namespace qaq::views
