// Numbers and ticks as the window writes them.
#include <gtest/gtest.h>
#include <qcustomplot.h>

#include "core/analysis/scope_params.h"
#include "tests/views/views_fixture.h"
#include "views/panels/slider_scale.h"
#include "views/plots/cell_ticker.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

TEST(NumberFormat, ThreeDigitsAndTheRightSigns) {
  EXPECT_EQ(numberText(4.4583), "4.46");
  EXPECT_EQ(numberText(0.0032), "0.00320");
  EXPECT_EQ(numberText(0.09999), "0.100") << "rounded before digits are counted";
  EXPECT_EQ(numberText(-1.3), "−1.30") << "minus is U+2212";
  EXPECT_EQ(numberText(3.2e-5), "3.2×10⁻⁵");
  EXPECT_EQ(numberText(0), "0");
}

TEST(NumberFormat, SharesAreNeverRoundedToNothing) {
  EXPECT_EQ(shareText(0.54), "54 %");
  EXPECT_EQ(shareText(0.004), "0.4 %");
  EXPECT_EQ(shareText(0.0002), "<0.1 %");
  EXPECT_EQ(shareText(0), "0 %");
  EXPECT_EQ(shareText(1), "100 %");
}

TEST(NumberFormat, DecadesAndTokens) {
  EXPECT_EQ(decadeText(-4), "10⁻⁴");
  EXPECT_EQ(decadeText(-1), "0.1");
  EXPECT_EQ(decadeText(2), "100");
  EXPECT_EQ(quoted(" a\nb"), "“ a⏎b”");
  EXPECT_EQ(counted(1, "1 bit", "%1 bits"), "1 bit");
  EXPECT_EQ(counted(3, "1 bit", "%1 bits"), "3 bits");
}

struct Ticks {
  QVector<double> at;
  QVector<QString> labels;
};

// Ticks of `count` cells in groups of `group`, on an axis `pixels` high, of which `range` is shown.
Ticks ticksOf(int count, int group, int pixels, QCPRange range) {
  MapPane pane;
  CellTicker ticker(pane.yAxis);
  ticker.setCells(count, group);
  ticker.setCellLabel(
      [group](int row) { return QStringLiteral("%1.%2").arg(row / group).arg(row % group); });
  pane.axisRect()->setOuterRect(QRect(
      0, 0, 400, pixels + pane.axisRect()->margins().top() + pane.axisRect()->margins().bottom()));
  Ticks ticks;
  ticker.generate(range, QLocale(), 'g', 6, ticks.at, nullptr, &ticks.labels);
  return ticks;
}

TEST(CellTicker, StandsOnRoundIndicesAndTheLast) {
  const Ticks ticks = ticksOf(95, 1, 400, QCPRange(-0.5, 94.5));
  EXPECT_EQ(ticks.at.first(), 0);
  EXPECT_EQ(ticks.at[1], 10);
  EXPECT_EQ(ticks.at.last(), 94);
  EXPECT_EQ(ticks.labels.last(), "94");
  EXPECT_FALSE(ticks.labels.contains("90")) << "too near to the last index";
}

TEST(CellTicker, NeverCrowds) {
  for (const int pixels : {110, 200, 500, 1500}) {
    for (const int count : {1, 2, 7, 95, 1000, 65536}) {
      const Ticks ticks = ticksOf(count, 1, pixels, QCPRange(-0.5, count - 0.5));
      ASSERT_FALSE(ticks.at.isEmpty());
      EXPECT_LE(ticks.at.size(), 11) << count << " cells on " << pixels;
      for (int i = 1; i < ticks.at.size(); ++i) {
        EXPECT_GE((ticks.at[i] - ticks.at[i - 1]) * pixels / count, 28)
            << count << " cells on " << pixels;
      }
    }
  }
}

TEST(CellTicker, NamesLayersUntilHeadsHaveRoom) {
  const Ticks layers = ticksOf(90, 3, 300, QCPRange(-0.5, 89.5));
  EXPECT_EQ(layers.at.first(), 1) << "the middle of layer 0's three rows";
  EXPECT_EQ(layers.labels.last(), "29");
  const Ticks heads = ticksOf(90, 3, 300, QCPRange(38.5, 47.5));
  EXPECT_EQ(heads.labels.first(), "13.0");
  EXPECT_EQ(heads.labels.size(), 9);
}

TEST(SliderScale, GivesRoundValuesInsideTheRangeAndFindsThemAgain) {
  for (const Parameter& parameter : list_parameters(ScopeParams{})) {
    if (!SliderScale::has(parameter)) continue;
    const SliderScale scale(parameter);
    for (int step = 0; step <= SliderScale::kSteps; ++step) {
      const ParameterValue value = scale.valueAt(step);
      EXPECT_EQ(checked_value(parameter, value), value) << parameter.name << " at " << step;
      EXPECT_LE(value_text(value).size(), 7u) << parameter.name << " " << value_text(value);
      EXPECT_EQ(scale.valueAt(scale.stepOf(value)), value) << parameter.name << " at " << step;
    }
    EXPECT_EQ(scale.stepOf(scale.valueAt(0)), 0);
    EXPECT_EQ(scale.stepOf(scale.valueAt(SliderScale::kSteps)), SliderScale::kSteps);
  }
}

}  // namespace
}  // namespace qaq::views
