#include "views/plots/color_map.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace qaq::views {

ColorMap ColorMap::bits(const Palette& palette, int exactFrom) {
  ColorMap map;
  map.m_high = exactFrom;
  for (int width = 0; width <= Palette::kWidestBits + 1; ++width) {
    map.m_table.push_back(palette.bits(width));
  }
  return map;
}

ColorMap ColorMap::logarithmic(const std::vector<QRgb>& table, double low, double high) {
  assert(low > 0 && high > low && !table.empty());
  ColorMap map;
  map.m_discrete = false;
  map.m_low = low;
  map.m_high = high;
  map.m_table = table;
  return map;
}

QRgb ColorMap::operator()(float value) const {
  const int last = static_cast<int>(m_table.size()) - 1;
  if (m_discrete) {
    const int width = static_cast<int>(value);
    return m_table[static_cast<std::size_t>(width >= exactFrom() ? last
                                                                 : std::clamp(width, 0, last))];
  }
  const double share = std::log(std::max<double>(value, m_low) / m_low) / std::log(m_high / m_low);
  const int index = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * last));
  return m_table[static_cast<std::size_t>(index)];
}

}  // namespace qaq::views
