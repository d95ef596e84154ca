#include "views/plots/chart_range.h"

#include <algorithm>
#include <cmath>

namespace qaq::views {
namespace {

constexpr double kMargin = 0.05;      // of the span, on each side
constexpr double kLabelMargin = 0.1;  // beyond bars with texts above them

bool hasPlace(double at, const ChartAxis& axis) {
  return std::isfinite(at) && (axis.scale != ChartScale::log || at > 0);
}

bool isInside(double at, const ChartAxis& axis) {
  return at >= axis.least.value_or(at) && at <= axis.most.value_or(at);
}

// Grows to hold what it is given.
class Span {
 public:
  explicit Span(const ChartAxis& axis) : m_axis(axis) {}

  void add(double at) {
    if (!hasPlace(at, m_axis)) return;
    m_low = std::min(m_low, at);
    m_high = std::max(m_high, at);
  }
  bool isEmpty() const { return m_low > m_high; }
  QCPRange bare() const { return {m_low, m_high}; }
  QCPRange range(bool from_zero, double margin = kMargin) const {
    if (m_axis.scale == ChartScale::category) {
      return {-0.5, static_cast<double>(m_axis.names.size()) - 0.5};
    }
    double low = m_low, high = m_high;
    if (m_axis.scale == ChartScale::log) {
      const double factor = std::max(std::pow(high / low, kMargin), low == high ? 2.0 : 1.0);
      low /= factor;
      high *= factor;
    } else {
      const double pad = low == high ? std::max(std::abs(low), 1.0) / 2 : margin * (high - low);
      if (!from_zero || low < 0) low -= pad;
      high += pad;
    }
    return {m_axis.least.value_or(low), m_axis.most.value_or(high)};
  }

 private:
  const ChartAxis& m_axis;
  double m_low = std::numeric_limits<double>::infinity(), m_high = -m_low;
};

// What bars of one series stand on: for each point the sum of the bars before it at its place.
std::vector<double> bases(const ChartPanel& panel, std::size_t series) {
  const bool along_x = panel.y.scale == ChartScale::category;
  double ChartPoint::*const place = along_x ? &ChartPoint::y : &ChartPoint::x;
  double ChartPoint::*const length = along_x ? &ChartPoint::x : &ChartPoint::y;
  std::vector<double> out;
  for (const ChartPoint& point : panel.series[series].points) {
    double sum = 0;
    for (std::size_t before = 0; before < series; ++before) {
      if (panel.series[before].mark != ChartMark::bars) continue;
      for (const ChartPoint& other : panel.series[before].points) {
        if (other.*place == point.*place) sum += other.*length;
      }
    }
    out.push_back(sum);
  }
  return out;
}

}  // namespace

bool canBeDrawn(const ChartPoint& point, const ChartSeries& series, const ChartPanel& panel) {
  if (!hasPlace(point.x, panel.x)) return false;
  if (series.mark == ChartMark::rug) return true;
  return hasPlace(point.y, panel.y) || (series.mark == ChartMark::steps && point.y == 0);
}

std::optional<ChartRanges> rangesOf(const ChartPanel& panel) {
  Span x(panel.x), y(panel.y);
  const bool by_name = panel.y.scale == ChartScale::category;
  bool bars = false, steps = false, labels = false;
  for (std::size_t i = 0; i < panel.series.size(); ++i) {
    const ChartSeries& series = panel.series[i];
    const bool is_bars = series.mark == ChartMark::bars;
    const std::vector<double> below = is_bars ? bases(panel, i) : std::vector<double>();
    bars = bars || is_bars;
    steps = steps || series.mark == ChartMark::steps;
    labels = labels || !series.labels.empty();
    for (std::size_t at = 0; at < series.points.size(); ++at) {
      const ChartPoint& point = series.points[at];
      if (!canBeDrawn(point, series, panel)) continue;
      if (!isInside(point.x, panel.x)) continue;
      x.add(is_bars && by_name ? below[at] + point.x : point.x);
      if (series.mark == ChartMark::rug) continue;
      y.add(is_bars && !by_name ? below[at] + point.y : point.y);
      Span& along = by_name ? x : y;
      along.add(point.low);
      along.add(point.high);
      if (series.mark != ChartMark::heat) continue;
      for (const double half : {-0.5, 0.5}) {
        x.add(point.x + half);
        y.add(point.y + half);
      }
    }
  }
  if (x.isEmpty() || y.isEmpty()) return {};
  const bool x_from_zero = bars && by_name, y_from_zero = (bars && !by_name) || steps;
  if (x_from_zero) x.add(0);
  if (y_from_zero) y.add(0);
  for (const ChartLine& line : panel.lines) {
    if (line.kind == ChartLineKind::x) x.add(line.at);
    if (line.kind == ChartLineKind::y) y.add(line.at);
  }
  // Cells touch the frame.
  const bool heat = std::ranges::any_of(
      panel.series, [](const ChartSeries& series) { return series.mark == ChartMark::heat; });
  if (heat) return ChartRanges{x.bare(), y.bare()};
  return ChartRanges{x.range(x_from_zero), y.range(y_from_zero, labels ? kLabelMargin : kMargin)};
}

}  // namespace qaq::views
