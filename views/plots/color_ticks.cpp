#include "views/plots/color_ticks.h"

#include <algorithm>
#include <cmath>

#include "views/plots/number_format.h"
#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<double> kLabelGap{34};  // px between labels

/// `value`, a multiple of `step`, with no digit that the step does not need.
QString multipleText(double value, double step) {
  if (std::abs(value) < step / 2) return numberText(0);
  const double digits =
      std::floor(std::log10(std::abs(value)) + 1e-9) - std::floor(std::log10(step) + 1e-9);
  return numberText(value, static_cast<int>(digits) + 1);
}

/// On decades; every so many of them have labels, the highest (of differences: the middle) first.
std::vector<ColorTick> decadeTicks(const ColorMap& colors, double px) {
  const double low = std::log10(colors.low()), high = std::log10(colors.high());
  const int first = static_cast<int>(std::ceil(low - 1e-9));
  const int last = static_cast<int>(std::floor(high + 1e-9));
  const int every = std::max(1, static_cast<int>(std::ceil(kLabelGap * (high - low) / px)));
  const bool diverging = colors.kind() == ColorMap::Kind::diverging;
  const int anchor = diverging ? static_cast<int>(std::lround((low + high) / 2)) : last;
  std::vector<ColorTick> ticks;
  for (int decade = first; decade <= last; ++decade) {
    ticks.push_back(
        {std::pow(10.0, decade), (anchor - decade) % every == 0 ? decadeText(decade) : QString()});
  }
  return ticks;
}

/// Less than two decades: on 1, 2 and 5 of each, of which the ones come first for labels.
std::vector<ColorTick> partDecadeTicks(const ColorMap& colors, double px) {
  std::vector<ColorTick> ticks;
  const int first = static_cast<int>(std::floor(std::log10(colors.low())));
  const int last = static_cast<int>(std::floor(std::log10(colors.high())));
  for (const int digit : {1, 2, 5}) {
    for (int decade = first; decade <= last; ++decade) {
      const double value = digit * std::pow(10.0, decade);
      if (value < colors.low() * (1 - 1e-9) || value > colors.high() * (1 + 1e-9)) continue;
      const bool crowded = std::any_of(ticks.begin(), ticks.end(), [&](const ColorTick& other) {
        const double apart = std::abs(colors.position(value) - colors.position(other.value)) * px;
        return !other.label.isEmpty() && apart < kLabelGap;
      });
      ticks.push_back({value, crowded ? QString() : numberText(value, 1)});
    }
  }
  std::sort(ticks.begin(), ticks.end(),
            [](const ColorTick& a, const ColorTick& b) { return a.value < b.value; });
  return ticks;
}

std::vector<ColorTick> linearTicks(const ColorMap& colors, double px) {
  const double range = colors.high() - colors.low();
  const double step = roundStep(range * kLabelGap / px);
  std::vector<ColorTick> ticks;
  const double last = std::floor(colors.high() / step + 1e-9);
  for (double k = std::ceil(colors.low() / step - 1e-9); k <= last; ++k) {
    ticks.push_back({k * step, multipleText(k * step, step)});
  }
  return ticks;
}

}  // namespace

std::vector<ColorTick> colorTicks(const ColorMap& colors, double px) {
  if (colors.scale() == ColorMap::Scale::linear) return linearTicks(colors, px);
  const double ratio = colors.high() / colors.low();
  if (ratio >= 100) return decadeTicks(colors, px);
  std::vector<ColorTick> ticks = partDecadeTicks(colors, px);
  if (ticks.size() >= 2) return ticks;
  // Hardly more than one number: as on a linear scale, by the room at its narrow end.
  return linearTicks(colors, px * (ratio - 1) / (ratio * std::log(ratio)));
}

}  // namespace qaq::views
