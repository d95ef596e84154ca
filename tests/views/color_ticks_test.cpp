// What a colour scale says beside its colours.
#include "views/plots/color_ticks.h"

#include <gtest/gtest.h>

namespace qaq::views {
namespace {

const std::vector<QRgb>& table() { return Palette::of(ThemeKind::light).diverging(); }

QStringList labels(const ColorMap& colors, double px = 200) {
  QStringList texts;
  for (const ColorTick& tick : colorTicks(colors, px)) {
    if (!tick.label.isEmpty()) texts.push_back(tick.label);
  }
  return texts;
}

TEST(ColorTicks, LinearScalesHaveRoundNumbers) {
  EXPECT_EQ(labels(ColorMap::linear(table(), 0, 1)),
            (QStringList{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels(ColorMap::linear(table(), 3, 47)), (QStringList{"10", "20", "30", "40"}));
  EXPECT_EQ(labels(ColorMap::diverging(table(), 0, 0.05)),
            (QStringList{"−0.04", "−0.02", "0", "0.02", "0.04"}));
}

TEST(ColorTicks, LogarithmicScalesHaveDecades) {
  EXPECT_EQ(labels(ColorMap::logarithmic(table(), 1e-4, 1)),
            (QStringList{"10⁻⁴", "10⁻³", "0.01", "0.1", "1"}));
  EXPECT_EQ(labels(ColorMap::logarithmic(table(), 1e-4, 1), 100),
            (QStringList{"10⁻⁴", "0.01", "1"}))
      << "a narrow one labels every other";
}

TEST(ColorTicks, LessThanTwoDecadesHaveOneTwoAndFive) {
  EXPECT_EQ(labels(ColorMap::logarithmic(table(), 0.4, 6)), (QStringList{"0.5", "1", "2", "5"}));
}

TEST(ColorTicks, DifferencesNameTheirReference) {
  using Scale = ColorMap::Scale;
  EXPECT_EQ(labels(ColorMap::diverging(table(), 1, 1000, Scale::logarithmic), 110),
            (QStringList{"0.01", "1", "100"}));
  EXPECT_EQ(labels(ColorMap::diverging(table(), 1, 4, Scale::logarithmic)),
            (QStringList{"0.5", "1", "2"}));
}

TEST(ColorTicks, TicksLieOnTheScaleAndApart) {
  for (const double px : {90.0, 137.0, 200.0}) {
    for (const double low : {1e-7, 0.013, 2.0, 950.0}) {
      for (const double ratio : {1.3, 3.0, 40.0, 1e3, 1e6}) {
        for (const ColorMap& colors : {ColorMap::linear(table(), low, low * ratio),
                                       ColorMap::logarithmic(table(), low, low * ratio)}) {
          double last = -1e9;
          for (const ColorTick& tick : colorTicks(colors, px)) {
            const double x = colors.position(tick.value) * px;
            EXPECT_GE(x, -1e-6);
            EXPECT_LE(x, px + 1e-6);
            if (tick.label.isEmpty()) continue;
            EXPECT_GE(x - last, 33) << low << " to " << low * ratio << " in " << px;
            last = x;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace qaq::views
