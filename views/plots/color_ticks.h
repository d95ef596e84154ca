#pragma once

#include <QString>
#include <vector>

#include "views/plots/color_map.h"

namespace qaq::views {

struct ColorTick {
  double value;
  QString label;  ///< empty: none
};

/// The ticks of a colour scale that is `px` wide: on decades where it is logarithmic and has some,
/// else on 1, 2 and 5; on round numbers where it is linear. Labels keep 34 px apart.
std::vector<ColorTick> colorTicks(const ColorMap& colors, double px);

}  // namespace qaq::views
