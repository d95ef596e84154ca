#include "views/panels/icons.h"

#include <QPainter>
#include <QPainterPath>

namespace qaq::views {
namespace {

QPainterPath pathOf(Icon which) {
  QPainterPath path;
  switch (which) {
    case Icon::open:  // a folder with its front flap tilted open
      path.moveTo(2, 12.5);
      path.lineTo(2, 3.5);
      path.lineTo(6, 3.5);
      path.lineTo(7.5, 5.5);
      path.lineTo(12.5, 5.5);
      path.lineTo(12.5, 7.5);
      path.moveTo(2, 12.5);
      path.lineTo(4.5, 7.5);
      path.lineTo(14.5, 7.5);
      path.lineTo(12, 12.5);
      path.closeSubpath();
      break;
    case Icon::padlock:
      path.addRoundedRect(3.5, 7, 9, 6.5, 1, 1);
      path.moveTo(5.5, 7);
      path.lineTo(5.5, 5);
      path.arcTo(5.5, 2.5, 5, 5, 180, -180);
      path.lineTo(10.5, 7);
      break;
    case Icon::file:  // a sheet with a folded corner
      path.moveTo(9.5, 2);
      path.lineTo(3.5, 2);
      path.lineTo(3.5, 14);
      path.lineTo(12.5, 14);
      path.lineTo(12.5, 5);
      path.lineTo(9.5, 2);
      path.lineTo(9.5, 5);
      path.lineTo(12.5, 5);
      break;
    case Icon::chip:  // a square with two legs on each side
      path.addRect(4, 4, 8, 8);
      for (const double at : {6.0, 10.0}) {
        for (const double from : {1.5, 12.0}) {
          path.moveTo(at, from);
          path.lineTo(at, from + 2.5);
          path.moveTo(from, at);
          path.lineTo(from + 2.5, at);
        }
      }
      break;
    case Icon::resetZoom:  // four corners
      for (const int x : {0, 1}) {
        for (const int y : {0, 1}) {
          const QPointF corner(x ? 13 : 3, y ? 13 : 3);
          path.moveTo(corner + QPointF(x ? -4 : 4, 0));
          path.lineTo(corner);
          path.lineTo(corner + QPointF(0, y ? -4 : 4));
        }
      }
      break;
  }
  return path;
}

}  // namespace

QIcon icon(Icon which, const QColor& color) {
  QIcon out;
  for (const int scale : {1, 2, 3}) {
    QPixmap pixmap(16 * scale, 16 * scale);
    pixmap.fill(Qt::transparent);
    pixmap.setDevicePixelRatio(scale);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPath(pathOf(which));
    painter.end();
    out.addPixmap(pixmap);
  }
  return out;
}

}  // namespace qaq::views
