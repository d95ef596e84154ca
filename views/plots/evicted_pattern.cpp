#include "views/plots/evicted_pattern.h"

#include <algorithm>
#include <cmath>

namespace qaq::views {
namespace {

constexpr int kArm = 5, kApart = 7;

}  // namespace

bool isOnCross(int x, int y, int stroke) {
  const int column = x / stroke % kApart, row = y / stroke % kApart;
  return column < kArm && row < kArm && (column == row || column + row == kArm - 1);
}

void drawEvicted(QPainter* painter, const QRectF& box, const Theme& theme) {
  painter->save();
  painter->setClipRect(box, Qt::IntersectClip);
  painter->fillRect(box, theme.evicted);
  painter->setRenderHint(QPainter::Antialiasing);
  painter->setPen(QPen(theme.evictedCross, px(1)));
  const double arm = std::min<double>(px(kArm), box.height() - px(2));
  const double step = arm + px(kApart - kArm);
  // Whole crosses, in the middle of the box; one where there is no room for any.
  const double n = std::max(1.0, std::floor((box.width() + step - arm) / step));
  double left = box.center().x() - (n * step - (step - arm)) / 2;
  const double top = box.center().y() - arm / 2;
  for (int i = 0; i < static_cast<int>(n); ++i, left += step) {
    painter->drawLine(QLineF(left, top, left + arm, top + arm));
    painter->drawLine(QLineF(left, top + arm, left + arm, top));
  }
  painter->restore();
}

}  // namespace qaq::views
