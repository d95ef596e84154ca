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
    case Icon::undo:  // an arrow that turns back
      path.moveTo(6, 3);
      path.lineTo(2.5, 6.5);
      path.lineTo(6, 10);
      path.moveTo(2.5, 6.5);
      path.lineTo(9.5, 6.5);
      path.arcTo(6.5, 6.5, 7, 7, 90, -180);
      path.lineTo(7, 13.5);
      break;
    case Icon::back:
      path.moveTo(10, 3);
      path.lineTo(5, 8);
      path.lineTo(10, 13);
      break;
    case Icon::search:
      path.addEllipse(QPointF(7, 7), 4.5, 4.5);
      path.moveTo(10.3, 10.3);
      path.lineTo(14, 14);
      break;
    case Icon::redo:
    case Icon::forward: {
      const QPainterPath other = pathOf(which == Icon::redo ? Icon::undo : Icon::back);
      return QTransform(-1, 0, 0, 1, 16, 0).map(other);
    }
  }
  return path;
}

QPixmap pixmapOf(Icon which, const QColor& color, int scale) {
  QPixmap pixmap(16 * scale, 16 * scale);
  pixmap.fill(Qt::transparent);
  pixmap.setDevicePixelRatio(scale);
  QPainter painter(&pixmap);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(color, 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter.drawPath(pathOf(which));
  return pixmap;
}

}  // namespace

QIcon icon(Icon which, const QColor& color, const QColor& disabled) {
  QIcon out;
  for (const int scale : {1, 2, 3}) {
    out.addPixmap(pixmapOf(which, color, scale));
    if (disabled.isValid()) out.addPixmap(pixmapOf(which, disabled, scale), QIcon::Disabled);
  }
  return out;
}

}  // namespace qaq::views
