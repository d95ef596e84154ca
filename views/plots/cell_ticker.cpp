#include "views/plots/cell_ticker.h"

#include <algorithm>
#include <cmath>

#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<double> kLeastGap{28};  // px between labels
constexpr Px<double> kCellGap{16};   // px of one row that carries a label of its own
constexpr int kMostTicks = 10;

/// The smallest of 1, 2, 5, 10, 20 ... that is enough.
int niceStep(double least) {
  for (int decade = 1; decade < 1000000000; decade *= 10) {
    for (const int mantissa : {1, 2, 5}) {
      if (mantissa * decade >= least) return mantissa * decade;
    }
  }
  return 1000000000;
}

}  // namespace

void CellTicker::setCells(int count, int groupSize) {
  m_count = count;
  m_groupSize = std::max(1, groupSize);
}

double CellTicker::axisPixels() const {
  const QRect rect = m_axis->axisRect()->rect();
  return m_axis->orientation() == Qt::Horizontal ? rect.width() : rect.height();
}

void CellTicker::generate(const QCPRange& range, const QLocale&, QChar, int, QVector<double>& ticks,
                          QVector<double>* subTicks, QVector<QString>* tickLabels) {
  ticks.clear();
  if (subTicks) subTicks->clear();
  if (tickLabels) tickLabels->clear();
  if (m_count == 0 || range.size() <= 0) return;
  const double cellPx = axisPixels() / range.size();
  // Labels of cells are wider than high.
  const double cellGap = m_axis->orientation() == Qt::Horizontal ? kLeastGap : kCellGap;
  const bool single = m_groupSize == 1 || cellPx >= cellGap;
  const int size = single ? 1 : m_groupSize;
  const int count = m_count / size;
  const bool wordy = single && m_groupSize > 1;
  const double gap = wordy ? cellGap : double{kLeastGap};
  const double inSight = range.size() / size;
  const int step =
      niceStep(std::max({1.0, gap / (cellPx * size), wordy ? 1.0 : inSight / kMostTicks}));

  const int first = std::max(0, static_cast<int>(std::ceil(range.lower / size)));
  const int last =
      std::min(count - 1, static_cast<int>(std::floor((range.upper - 0.5 * (size - 1)) / size)));
  const auto add = [&](int index) {
    ticks.push_back(index * size + 0.5 * (size - 1));
    if (tickLabels)
      tickLabels->push_back(wordy && m_label ? m_label(index) : QString::number(index));
  };
  const int end = count - 1;
  for (int index = (first + step - 1) / step * step; index <= last; index += step) {
    // The last index is worth more than a round one beside it.
    if (index != end && last == end && (end - index) * cellPx * size < gap) break;
    add(index);
  }
  if (last == end && (ticks.isEmpty() || end % step != 0)) add(end);
}

}  // namespace qaq::views
