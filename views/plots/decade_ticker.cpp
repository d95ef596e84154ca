#include "views/plots/decade_ticker.h"

#include <algorithm>
#include <cmath>

#include "views/plots/number_format.h"
#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<double> kAcross{40}, kAlong{28};  // px between labels, across and along their text

}  // namespace

void DecadeTicker::generate(const QCPRange& range, const QLocale&, QChar, int,
                            QVector<double>& ticks, QVector<double>* subTicks,
                            QVector<QString>* tickLabels) {
  ticks.clear();
  if (subTicks) subTicks->clear();
  if (tickLabels) tickLabels->clear();
  const bool across = m_axis->orientation() == Qt::Horizontal;
  const QRect rect = m_axis->axisRect()->rect();
  const double px = (across ? rect.width() : rect.height()) * LogBins::kADecade / range.size();
  const int every = std::max(1, static_cast<int>(std::ceil((across ? kAcross : kAlong) / px)));
  for (int decade = m_bins.first_decade(); decade <= m_bins.last_decade(); ++decade) {
    const int edge = LogBins::kADecade * (decade - m_bins.first_decade());
    const double at = (m_upwards ? m_bins.size() - edge : edge) - 0.5;
    if (at < range.lower - 1e-9 || at > range.upper + 1e-9) continue;
    // Counted from 1, so that it keeps its label.
    if (decade % every != 0) continue;
    ticks.push_back(at);
    // 1,000 would not fit beside an upright axis.
    if (tickLabels) tickLabels->push_back(decade == 3 ? QStringLiteral("10³") : decadeText(decade));
  }
}

}  // namespace qaq::views
