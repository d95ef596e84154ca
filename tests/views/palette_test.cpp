// The colours that carry numbers, held against what design asks of them.
#include "views/plots/palette.h"

#include <QColor>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "views/plots/color_map.h"
#include "views/plots/theme.h"

namespace qaq::views {
namespace {

/// Relative luminance of WCAG.
double luminance(QRgb color) {
  const auto linear = [](int channel) {
    const double c = channel / 255.0;
    return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(qRed(color)) + 0.7152 * linear(qGreen(color)) +
         0.0722 * linear(qBlue(color));
}

double contrast(QRgb a, QRgb b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

TEST(Palette, BitsAreThoseOfTheFileInTheirOrder) {
  std::ifstream in(QAQ_SOURCE_DIR "/views/plots/palettes.json");
  const auto file = nlohmann::json::parse(in);
  for (const auto& [kind, name] :
       {std::pair{ThemeKind::light, "light"}, std::pair{ThemeKind::dark, "dark"}}) {
    const Palette& palette = Palette::of(kind);
    for (int bits = 0; bits <= 16; ++bits) {
      const std::string hex = file["bits"][name][std::to_string(bits)];
      EXPECT_EQ(QColor(palette.bits(bits)).name().toUpper().toStdString(), hex) << bits;
    }
    EXPECT_EQ(palette.bits(17), palette.exact());
    EXPECT_EQ(palette.viridis().size(), 256u);
    EXPECT_EQ(palette.cividis().size(), 256u);
  }
}

TEST(Palette, MoreBitsAreMoreInk) {
  const Palette& light = Palette::of(ThemeKind::light);
  const Palette& dark = Palette::of(ThemeKind::dark);
  for (int bits = 0; bits <= 16; ++bits) {
    EXPECT_GT(luminance(light.bits(bits)), luminance(light.bits(bits + 1))) << bits;
    EXPECT_LT(luminance(dark.bits(bits)), luminance(dark.bits(bits + 1))) << bits;
  }
}

TEST(Palette, NumeralsAreLegibleOnEveryWidth) {
  for (const ThemeKind kind : {ThemeKind::light, ThemeKind::dark}) {
    for (int bits = 0; bits <= 17; ++bits) {
      const QRgb fill = Palette::of(kind).bits(bits);
      EXPECT_GE(contrast(fill, Palette::inkOn(fill).rgb()), 3.9) << bits;
    }
  }
}

TEST(Theme, TextAndMarksStandOutFromTheSurface) {
  for (const ThemeKind kind : {ThemeKind::light, ThemeKind::dark}) {
    const Theme& theme = Theme::of(kind);
    const QRgb surface = theme.surface.rgb();
    EXPECT_GE(contrast(theme.text.rgb(), surface), 4.5);
    EXPECT_GE(contrast(theme.muted.rgb(), surface), 4.5);
    EXPECT_GE(contrast(theme.violation.rgb(), surface), 4.5);
    EXPECT_GE(contrast(theme.accent.rgb(), surface), 4.5);
  }
}

TEST(ColorMap, LogarithmicScaleEndsAtItsEnds) {
  const auto& table = Palette::of(ThemeKind::light).viridis();
  const ColorMap map = ColorMap::logarithmic(table, 1e-4, 1);
  EXPECT_EQ(map(0.0f), table.front());
  EXPECT_EQ(map(1e-4f), table.front());
  EXPECT_EQ(map(1.0f), table.back());
  EXPECT_EQ(map(50.0f), table.back());
  EXPECT_EQ(map(1.01e-2f), table[128]) << "half of the decades is half of the table";
}

TEST(ColorMap, EveryValueHasTheColourNearestToItsPosition) {
  const auto& table = Palette::of(ThemeKind::light).viridis();
  const std::vector<ColorMap> maps{
      ColorMap::linear(table, -3, 5), ColorMap::logarithmic(table, 1e-4, 20),
      ColorMap::linear({table[0], table[100], table[200]}, 0, 1),  // not a power of two
      ColorMap::linear({table[7]}, 0, 1)};
  for (const ColorMap& map : maps) {
    const auto last = static_cast<double>(map.table().size() - 1);
    for (double share = -0.2; share < 1.2; share += 0.00137) {
      const double value = map.scale() == ColorMap::Scale::linear
                               ? map.low() + share * (map.high() - map.low())
                               : map.low() * std::pow(map.high() / map.low(), share);
      EXPECT_NEAR(map.position(value), share, 1e-9);
      const double index = std::clamp(share, 0.0, 1.0) * last;
      if (std::abs(index - std::floor(index) - 0.5) < 1e-3) continue;  // either is nearest
      ASSERT_EQ(map(static_cast<float>(value)),
                map.table()[static_cast<std::size_t>(std::lround(index))])
          << share;
    }
  }
}

TEST(ColorMap, DifferencesAreCentredOnTheirReference) {
  const auto& table = Palette::of(ThemeKind::light).diverging();
  const ColorMap difference = ColorMap::diverging(table, 0.5, 2);
  EXPECT_EQ(difference(-1.5f), table.front());
  EXPECT_EQ(difference(0.51f), table[128]);
  EXPECT_EQ(difference(2.5f), table.back());
  const ColorMap ratio = ColorMap::diverging(table, 1, 10, ColorMap::Scale::logarithmic);
  EXPECT_EQ(ratio(0.1f), table.front());
  EXPECT_EQ(ratio(1.01f), table[128]);
  EXPECT_EQ(ratio(10.0f), table.back());
  EXPECT_EQ(ratio.kind(), ColorMap::Kind::diverging);
  const auto& dark = Palette::of(ThemeKind::dark).diverging();
  EXPECT_EQ(ratio.withTable(dark)(0.01f), dark.front());
}

TEST(ColorMap, OnlyAnUnquantizedCacheIsExact) {
  const Palette& palette = Palette::of(ThemeKind::light);
  EXPECT_EQ(ColorMap::bits(palette, 17)(16.0f), palette.bits(16));
  EXPECT_EQ(ColorMap::bits(palette, 16)(16.0f), palette.exact());
  EXPECT_EQ(ColorMap::bits(palette, 17)(3.0f), palette.bits(3));
}

}  // namespace
}  // namespace qaq::views
