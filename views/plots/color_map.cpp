#include "views/plots/color_map.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>

namespace qaq::views {

ColorMap::ColorMap(Kind kind, Scale scale, double low, double high, const std::vector<QRgb>& table)
    : m_kind(kind), m_scale(scale), m_low(low), m_high(high), m_table(table) {
  assert(high > low && !table.empty() && (scale == Scale::linear || low > 0));
  const std::size_t n = std::bit_ceil(table.size()) - 1;
  m_bounds.assign(n, std::numeric_limits<float>::infinity());
  for (std::size_t i = 0; i + 1 < table.size(); ++i) {
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(table.size() - 1);
    m_bounds[i] = static_cast<float>(scale == Scale::linear ? low + share * (high - low)
                                                            : low * std::pow(high / low, share));
  }
}

ColorMap ColorMap::bits(const Palette& palette, int exactFrom) {
  ColorMap map;
  map.m_high = exactFrom;
  for (int width = 0; width <= Palette::kWidestBits + 1; ++width) {
    map.m_table.push_back(palette.bits(width));
  }
  return map;
}

ColorMap ColorMap::linear(const std::vector<QRgb>& table, double low, double high) {
  return {Kind::sequential, Scale::linear, low, high, table};
}

ColorMap ColorMap::logarithmic(const std::vector<QRgb>& table, double low, double high) {
  return {Kind::sequential, Scale::logarithmic, low, high, table};
}

ColorMap ColorMap::diverging(const std::vector<QRgb>& table, double centre, double reach,
                             Scale scale) {
  if (scale == Scale::linear) {
    return {Kind::diverging, scale, centre - reach, centre + reach, table};
  }
  return {Kind::diverging, scale, centre / reach, centre * reach, table};
}

ColorMap ColorMap::withTable(const std::vector<QRgb>& table) const {
  return {m_kind, m_scale, m_low, m_high, table};
}

double ColorMap::position(double value) const {
  if (m_scale == Scale::linear) return (value - m_low) / (m_high - m_low);
  return std::log(value / m_low) / std::log(m_high / m_low);
}

QRgb ColorMap::operator()(float value) const {
  if (isDiscrete()) {
    const int last = static_cast<int>(m_table.size()) - 1;
    const int width = static_cast<int>(value);
    return m_table[static_cast<std::size_t>(width >= exactFrom() ? last
                                                                 : std::clamp(width, 0, last))];
  }
  // A search without branches: a picture asks this for a million values.
  std::size_t index = 0;
  for (std::size_t step = (m_bounds.size() + 1) / 2; step > 0; step /= 2) {
    index += value >= m_bounds[index + step - 1] ? step : 0;
  }
  return m_table[index];
}

}  // namespace qaq::views
