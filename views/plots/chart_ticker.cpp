#include "views/plots/chart_ticker.h"

#include <array>
#include <cmath>
#include <vector>

#include "views/plots/number_format.h"
#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<double> kAcross{46}, kAlong{22};  // px that a label needs, across and along its text

constexpr double kFewDecades = 0.5;
constexpr double kTurned = -45;       // degrees of names along x that have no room
constexpr double kBetweenNames = 8;   // px between names side by side
constexpr double kTurnedApart = 1.5;  // heights of a line that turned names are apart

}  // namespace

double LinearTicker::getTickStep(const QCPRange& range) {
  const double step = QCPAxisTicker::getTickStep(range);
  return m_whole ? std::max(1.0, std::floor(step)) : step;  // 2.5 is the only broken one above 1
}

int LinearTicker::getSubTickCount(double step) {
  const int count = QCPAxisTicker::getSubTickCount(step);
  if (!m_whole || std::fmod(step, count + 1) == 0) return count;
  return static_cast<int>(step) - 1;  // on every number
}

QString LinearTicker::getTickLabel(double tick, const QLocale& locale, QChar formatChar,
                                   int precision) {
  QString text = QCPAxisTicker::getTickLabel(tick, locale, formatChar, precision);
  if (text.startsWith(QLatin1Char('-'))) text.replace(0, 1, QChar(0x2212));
  return text;
}

void NameTicker::generate(const QCPRange& range, const QLocale& locale, QChar formatChar,
                          int precision, QVector<double>& ticks, QVector<double>* subTicks,
                          QVector<QString>* tickLabels) {
  QVector<QString> names;
  QCPAxisTickerText::generate(range, locale, formatChar, precision, ticks, subTicks, &names);
  if (m_axis->orientation() == Qt::Horizontal && range.size() > 0) {
    const QFontMetricsF metrics(m_axis->tickLabelFont());
    double widest = 0;
    for (const QString& name : names) widest = std::max(widest, metrics.horizontalAdvance(name));
    const double place = std::max(1.0, m_axis->axisRect()->width() / range.size());
    const bool turned = widest + kBetweenNames > place;
    m_axis->setTickLabelRotation(turned ? kTurned : 0);
    const auto stride =
        turned ? static_cast<qsizetype>(std::ceil(kTurnedApart * metrics.height() / place)) : 1;
    for (qsizetype i = 0; i < names.size(); ++i) {
      if (i % stride != 0) names[i].clear();
    }
  }
  if (tickLabels) *tickLabels = names;
}

void LogTicker::generate(const QCPRange& range, const QLocale& locale, QChar formatChar,
                         int precision, QVector<double>& ticks, QVector<double>* subTicks,
                         QVector<QString>* tickLabels) {
  ticks.clear();
  if (subTicks) subTicks->clear();
  if (tickLabels) tickLabels->clear();
  if (range.lower <= 0 || range.upper <= range.lower) return;
  const double low = std::log10(range.lower), high = std::log10(range.upper);
  if (high - low < kFewDecades) {
    // Hardly bent: even steps.
    QCPAxisTicker::generate(range, locale, formatChar, precision, ticks, subTicks, tickLabels);
    return;
  }
  const bool horizontal = m_axis->orientation() == Qt::Horizontal;
  const QRect rect = m_axis->axisRect()->rect();
  const double room = std::max(1.0, (horizontal ? rect.width() / kAcross : rect.height() / kAlong));
  const auto first = static_cast<int>(std::floor(low)), last = static_cast<int>(std::ceil(high));
  // The finest of these that the axis has room for, where decades alone are few.
  static const std::array<std::vector<int>, 3> kDigits{
      {{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 5}, {1}}};
  std::size_t fine = 2;
  if (high - low < 3 && 3 * (high - low) <= room) fine = 1;
  if (high - low < 0.8 && 22 * (high - low) <= room) fine = 0;
  const int stride = std::max(1, static_cast<int>(std::ceil((high - low) / room)));
  for (int decade = first; decade <= last; ++decade) {
    for (int digit = 1; digit <= 9; ++digit) {
      const double at = digit * std::pow(10.0, decade);
      if (at < range.lower || at > range.upper) continue;
      const bool labelled = std::ranges::find(kDigits[fine], digit) != kDigits[fine].end() &&
                            (decade % stride + stride) % stride == 0;
      if (labelled) {
        ticks.push_back(at);
        if (tickLabels) tickLabels->push_back(digit == 1 ? decadeText(decade) : numberText(at, 1));
      } else if (subTicks) {
        subTicks->push_back(at);
      }
    }
  }
}

}  // namespace qaq::views
