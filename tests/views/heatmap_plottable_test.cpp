// The heatmap engine: what one pixel of a picture says about the cells below it.
#include "views/plots/heatmap_plottable.h"

#include <QMenu>
#include <gtest/gtest.h>
#include <limits>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

using test::countPixels;
using test::waitFor;

SharedHeatmap mapOf(std::int64_t rows, std::int64_t columns, float fill,
                    const std::function<void(NdArray<float, 2>&)>& plant = {}) {
  NdArray<float, 2> cells({rows, columns}, fill);
  if (plant) plant(cells);
  return std::make_shared<const Heatmap>(std::move(cells));
}

ColorMap viridis() {
  return ColorMap::logarithmic(Palette::of(ThemeKind::light).viridis(), 1e-3, 1);
}
const std::vector<QRgb>& cividis() { return Palette::of(ThemeKind::light).cividis(); }
QRgb brightest() { return Palette::of(ThemeKind::light).viridis().back(); }
QRgb darkest() { return Palette::of(ThemeKind::light).viridis().front(); }

QImage exported(MapPane& pane, const QSize& size) {
  QImage image(size, QImage::Format_RGB32);
  QCPPainter painter(&image);
  pane.toPainter(&painter, size.width(), size.height());
  painter.end();
  return image;
}

TEST(Tile, AbsentIsHatchedAndImpossibleIsLeftBlank) {
  const auto map = mapOf(2, 2, 1.0f, [](auto& m) {
    m(0, 1) = Heatmap::kAbsent;
    m(1, 0) = Heatmap::kImpossible;
  });
  const QRgb hatch = Theme::of(ThemeKind::light).hatch.rgb();
  const Tile tile = renderTile({.map = map,
                                .area = map->area(),
                                .pixels = {28, 28},
                                .colors = viridis(),
                                .hatch = hatch,
                                .texts = false});
  EXPECT_EQ(countPixels(tile.image, brightest(), QRect(0, 0, 14, 14)), 14 * 14);
  EXPECT_EQ(countPixels(tile.image, hatch, QRect(14, 0, 14, 14)), 14 * 14 / 7) << "1 px in 7";
  for (int y = 14; y < 28; ++y) {
    for (int x = 0; x < 14; ++x) ASSERT_EQ(qAlpha(tile.image.pixel(x, y)), 0);
  }
}

template <class T>
class TileTypes : public testing::Test {};
using Types = testing::Types<std::uint8_t, std::uint16_t, Half, float>;
TYPED_TEST_SUITE(TileTypes, Types);

TYPED_TEST(TileTypes, CellsOfEveryTypeHaveTheColoursOfTheirValues) {
  constexpr bool kIsHalf = std::is_same_v<TypeParam, Half>;
  constexpr bool kIsFloat = std::is_same_v<TypeParam, float>;
  NdArray<TypeParam, 2> cells({1, 4});
  for (std::size_t i = 0; i < 3; ++i) {
    const auto value = static_cast<float>(10 * i);
    if constexpr (kIsHalf) {
      cells.span()[i].bits = half_from_float(value);
    } else {
      cells.span()[i] = static_cast<TypeParam>(value);
    }
  }
  if constexpr (kIsHalf) {
    cells.span()[3].bits = 0x7e00;  // NaN
  } else {
    cells.span()[3] =
        kIsFloat ? std::numeric_limits<TypeParam>::quiet_NaN() : Heatmap::kAbsentCode<TypeParam>;
  }
  const auto map = std::make_shared<const Heatmap>(std::move(cells));
  const ColorMap colors = ColorMap::linear(Palette::of(ThemeKind::light).viridis(), 0, 20);
  const Theme& theme = Theme::of(ThemeKind::light);
  const Tile tile = renderTile({.map = map,
                                .area = map->area(),
                                .pixels = {56, 14},
                                .colors = colors,
                                .hatch = theme.hatch.rgb(),
                                .texts = false});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(countPixels(tile.image, colors.table()[static_cast<std::size_t>(i * 255 / 2 + i % 2)],
                          QRect(14 * i, 0, 14, 14)),
              14 * 14)
        << i;
  }
  EXPECT_EQ(countPixels(tile.image, theme.hatch.rgb(), QRect(42, 0, 14, 14)), 14 * 14 / 7);
}

TEST(Tile, PaddedPixelsAreTheSamePixelsAndMore) {
  const auto map = mapOf(270, 1000, 0.1f);
  TileRequest request{
      .map = map, .area = {200.25, 100, 500.25, 250}, .pixels = {400, 200}, .colors = viridis()};
  const TileRequest wider = request.padded();
  ASSERT_EQ(wider.pixels, QSize(600, 277)) << "the map ends 20 rows, 27 pixels, below";
  EXPECT_EQ(wider.placeOf(request), QPoint(100, 50));
  request.area.left += 0.75;  // a pixel
  request.area.right += 0.75;
  EXPECT_EQ(wider.placeOf(request), QPoint(101, 50));
  request.area.left += 0.3;
  request.area.right += 0.3;
  EXPECT_FALSE(wider.placeOf(request)) << "not on its pixels";
  request.area = {190.25, 100, 510.25, 250};
  EXPECT_FALSE(wider.placeOf(request)) << "not as large";
  request.area = {600, 100, 900, 250};
  EXPECT_FALSE(wider.placeOf(request)) << "not all there";
}

TEST(HeatmapPlottable, EachCellHasItsColourAndNoneIsBlended) {
  const auto map = mapOf(60, 200, 1e-3f, [](auto& m) { m(0, 0) = m(59, 199) = m(30, 77) = 1.0f; });
  MapPane pane;
  pane.setMap(map, viridis());
  const QImage image = exported(pane, {700, 400});
  const QRect plot = pane.axisRect()->rect();
  EXPECT_EQ(image.pixel(plot.topLeft()), brightest()) << "the first row of pixels belongs to row 0";
  EXPECT_EQ(image.pixel(plot.bottomRight()), brightest());
  EXPECT_EQ(image.pixel(pane.cellCentre(30, 77).toPoint()), brightest());
  EXPECT_EQ(image.pixel(pane.cellCentre(31, 77).toPoint()), darkest());
  EXPECT_EQ(countPixels(image, brightest(), plot) + countPixels(image, darkest(), plot),
            plot.width() * plot.height())
      << "no colour lies between";
}

TEST(HeatmapPlottable, LargeCellsCarryAGridAndTheirNumber) {
  const auto map = mapOf(4, 6, 3.0f, [](auto& m) { m(1, 2) = 8.0f; });
  MapPane pane;
  pane.setMap(map, ColorMap::bits(Palette::of(ThemeKind::light), 17));
  const QImage image = exported(pane, {500, 400});
  const auto inkIn = [&](int row, int column) {
    const QPoint centre = pane.cellCentre(row, column).toPoint();
    const QRect middle(centre - QPoint(6, 8), QSize(13, 17));
    const QRgb fill = image.pixel(centre + QPoint(12, 12));
    return middle.width() * middle.height() - countPixels(image, fill, middle);
  };
  EXPECT_GT(inkIn(0, 0), 5);
  EXPECT_GT(inkIn(1, 2), 5);
  EXPECT_NE(inkIn(0, 0), inkIn(1, 2)) << "3 is not 8";
}

TEST(HeatmapPlottable, LargeCellsOfAnyMapSayTheirValue) {
  const auto map = mapOf(4, 6, 0.25f, [](auto& m) {
    m(1, 2) = 1.0f;
    m(2, 2) = std::numeric_limits<float>::quiet_NaN();
  });
  MapPane pane;
  pane.setMap(map, viridis());
  const auto fills = [&](const QImage& image, int row, int column) {
    const QRect middle(pane.cellCentre(row, column).toPoint() - QPoint(12, 6), QSize(25, 13));
    return countPixels(image, pane.heatmap()->colors()(map->at(row, column)), middle);
  };
  QImage image = exported(pane, {500, 400});
  EXPECT_LT(fills(image, 0, 0), 25 * 13 - 30) << "0.250 is written";
  EXPECT_NE(fills(image, 0, 0), fills(image, 1, 2)) << "and 1.00 is another number";
  const QRect absent(pane.cellCentre(2, 2).toPoint() - QPoint(12, 6), QSize(25, 13));
  const Theme& theme = Theme::of(ThemeKind::light);
  EXPECT_EQ(countPixels(image, theme.hatch.rgb(), absent) +
                countPixels(image, theme.surface.rgb(), absent),
            25 * 13)
      << "a hatch has no number";
  EXPECT_GT(countPixels(image, theme.hatch.rgb(), absent), 25);
}

TEST(HeatmapPlottable, NoNumberIsWrittenWhereItHasNoRoom) {
  // Cells of 18 px: 3 fits, 0.000025 does not.
  const ColorMap colors = ColorMap::linear(Palette::of(ThemeKind::light).viridis(), 0, 10);
  for (const float value : {3.0f, 2.5e-5f}) {
    MapPane pane;
    pane.setMap(mapOf(10, 20, value), colors);
    const QSize size(20 * 18 + MapPane::kLeftMargin + MapPane::kRightMargin, 10 * 30);
    const QImage image = exported(pane, size);
    const QRect middle(pane.cellCentre(4, 7).toPoint() - QPoint(7, 6), QSize(15, 13));
    const int ink = 15 * 13 - countPixels(image, colors(value), middle);
    EXPECT_EQ(ink > 0, value == 3.0f) << value;
  }
}

TEST(HeatmapPlottable, ALoneOutlierIsSeenAtEverySize) {
  const auto map = mapOf(1024, 4096, 1e-3f, [](auto& m) { m(717, 2911) = 1.0f; });
  MapPane pane;
  pane.setMap(map, viridis());
  for (const QSize size : {QSize(260, 220), QSize(411, 307), QSize(800, 600), QSize(1601, 1001)}) {
    EXPECT_GE(countPixels(exported(pane, size), brightest()), 1) << size.width();
    EXPECT_FALSE(pane.heatmap()->badge().isEmpty());
  }
}

TEST(HeatmapPlottable, ALoneOutlierIsSeenAtEveryZoom) {
  const auto map = mapOf(1024, 4096, 1e-3f, [](auto& m) { m(717, 2911) = 1.0f; });
  MapPane pane;
  pane.setMap(map, viridis());
  for (double half = 4096; half > 2; half *= 0.71) {
    pane.xAxis->setRange(2911 - half, 2911 + half * 0.9);
    pane.yAxis->setRange(717 - half / 4, 717 + half / 5);
    const QImage image = exported(pane, {500, 400});
    EXPECT_GE(countPixels(image, brightest(), pane.axisRect()->rect()), 1) << half;
  }
}

TEST(HeatmapPlottable, BadgeNamesReducerAndCells) {
  MapPane pane;
  pane.setMap(mapOf(100, 3000, 0), viridis());
  pane.setReducer(Reducer::min);
  const int margins = MapPane::kLeftMargin + MapPane::kRightMargin;
  exported(pane, {1000 + margins, 500});
  EXPECT_EQ(pane.heatmap()->badge(), "min of 3 × 1 cells");
  pane.xAxis->setRange(9.5, 209.5);
  exported(pane, {1000 + margins, 500});
  EXPECT_EQ(pane.heatmap()->badge(), "") << "no cell shares a pixel";
}

TEST(HeatmapPlottable, TheScreenIsDrawnByTheWorkerAndEqualsTheExport) {
  const auto map = mapOf(64, 300, 1e-3f, [](auto& m) {
    for (int i = 0; i < 64; ++i) m(i, 3 * i) = 1.0f;
  });
  MapPane pane;
  pane.resize(700, 420);
  pane.setMap(map, viridis());
  pane.show();
  ASSERT_TRUE(waitFor([&] { return pane.isSettled(); }));
  QApplication::processEvents();
  const QImage screen = pane.grab().toImage().convertToFormat(QImage::Format_RGB32);
  const QRect plot = pane.axisRect()->rect();
  const QImage paper = exported(pane, {700, 420});
  EXPECT_EQ(screen.copy(plot), paper.copy(plot));
}

TEST(HeatmapPlottable, TheOldPictureStaysUntilTheNewOneIsWhole) {
  const auto before = mapOf(80, 80, 1.0f);
  const auto after = mapOf(80, 80, 1e-3f);
  MapPane pane;
  pane.resize(500, 400);
  pane.setMap(before, viridis());
  pane.show();
  ASSERT_TRUE(waitFor([&] { return pane.isSettled(); }));
  pane.setMap(after, viridis());
  EXPECT_FALSE(pane.isSettled());
  pane.replot(QCustomPlot::rpImmediateRefresh);
  // The worker's answer waits for the event loop, so this is what a user sees meanwhile.
  EXPECT_EQ(pane.grab().toImage().pixel(pane.cellCentre(40, 40).toPoint()), brightest());
  ASSERT_TRUE(waitFor([&] { return pane.isSettled(); }));
  QApplication::processEvents();
  EXPECT_EQ(pane.grab().toImage().pixel(pane.cellCentre(40, 40).toPoint()), darkest());
}

TEST(HeatmapPlottable, OtherColoursNeedNoCells) {
  MapPane pane;
  pane.resize(500, 400);
  pane.setMap(mapOf(300, 2000, 1.0f), viridis());
  pane.show();
  ASSERT_TRUE(waitFor([&] { return pane.isSettled(); }));
  const auto reduced = pane.heatmap()->reduced();
  pane.setValueColors(ValueColors::cividis);
  EXPECT_FALSE(pane.isSettled());
  ASSERT_TRUE(waitFor([&] { return pane.isSettled(); }));
  QApplication::processEvents();
  EXPECT_EQ(pane.grab().toImage().pixel(pane.cellCentre(100, 700).toPoint()), cividis().back());
  EXPECT_EQ(pane.heatmap()->reduced(), reduced) << "the pixels are coloured again, not reduced";
  pane.setTheme(Theme::of(ThemeKind::dark));
  pane.replot(QCustomPlot::rpImmediateRefresh);
  ASSERT_TRUE(waitFor([&] { return pane.isSettled(); }));
  EXPECT_EQ(pane.heatmap()->reduced(), reduced);
}

TEST(HeatmapPlottable, APanWithinThePictureNeedsNoWorkAndIsExact) {
  const auto map = mapOf(400, 3000, 1e-3f, [](auto& m) {
    for (int i = 0; i < 400; ++i) m(i, (37 * i) % 3000) = 1.0f;
  });
  MapPane pane;
  pane.resize(700, 420);
  pane.setMap(map, viridis());
  pane.xAxis->setRange(800.25, 1900.75);
  pane.yAxis->setRange(100, 220);
  pane.show();
  const auto settle = [&] {
    QApplication::processEvents();
    return pane.isSettled();
  };
  ASSERT_TRUE(waitFor(settle));
  ASSERT_TRUE(waitFor(settle));  // what was asked for before the first layout may have come first
  const auto reduced = pane.heatmap()->reduced();
  const QRect plot = pane.axisRect()->rect();
  const double across = pane.xAxis->range().size() / plot.width();
  const double down = pane.yAxis->range().size() / plot.height();
  for (const auto& [right, below] : {std::pair(31, 0), {-60, 17}, {5, -40}}) {
    pane.xAxis->moveRange(right * across);
    pane.yAxis->moveRange(below * down);
    pane.replot(QCustomPlot::rpImmediateRefresh);
    EXPECT_TRUE(pane.isSettled()) << "nothing is asked for";
    EXPECT_EQ(pane.heatmap()->reduced(), reduced);
    const QImage screen = pane.grab().toImage().convertToFormat(QImage::Format_RGB32);
    MapPane fresh;
    fresh.setMap(map, viridis());
    fresh.xAxis->setRange(pane.xAxis->range());
    fresh.yAxis->setRange(pane.yAxis->range());
    EXPECT_EQ(screen.copy(plot), exported(fresh, {700, 420}).copy(plot)) << right << "," << below;
  }
  pane.xAxis->moveRange(plot.width() * across);
  pane.replot(QCustomPlot::rpImmediateRefresh);
  EXPECT_FALSE(pane.isSettled()) << "this far there is no picture";
  ASSERT_TRUE(waitFor(settle));
}

TEST(MapPane, TheReducerIsTheViewsAndSaidInTitleAndBadge) {
  MapPane pane;
  pane.setHeadings("Errors", {"K, every layer", "K"});
  pane.setMap(mapOf(100, 3000, 0.1f, [](auto& m) { m(50, 1500) = 1.0f; }), viridis());
  const QSize size(1000 + MapPane::kLeftMargin + MapPane::kRightMargin, 500);
  const auto bright = [&] {
    const QImage image = exported(pane, size);
    return countPixels(image, brightest(), pane.axisRect()->rect());
  };
  EXPECT_EQ(pane.header()->text(), "Errors, K, every layer · max");
  EXPECT_GE(bright(), 1);
  pane.setReducer(Reducer::min);
  EXPECT_EQ(pane.header()->text(), "Errors, K, every layer · min");
  EXPECT_EQ(bright(), 0);
  EXPECT_EQ(pane.heatmap()->badge(), "min of 3 × 1 cells");
  pane.setReducer(Reducer::mean);
  exported(pane, size);
  EXPECT_EQ(pane.heatmap()->badge(), "mean of 3 × 1 cells");
  pane.setMap(mapOf(100, 3000, 0.2f), viridis());
  EXPECT_EQ(pane.reducer(), Reducer::mean) << "another map, the same view";
  EXPECT_EQ(pane.accessibleName(), "Errors, K, every layer · mean");
}

TEST(MapPane, TheReducerIsChosenByKeyboardToo) {
  MapPane pane;
  pane.resize(500, 400);
  pane.setMap(mapOf(20, 100, 1.0f), viridis());
  pane.show();
  pane.activateWindow();
  ASSERT_TRUE(QTest::qWaitForWindowActive(&pane));
  auto* button = pane.findChild<ReducerButton*>();
  ASSERT_NE(button, nullptr);
  EXPECT_EQ(button->text(), "max ▾");
  pane.setFocus();
  QTest::keyClick(&pane, Qt::Key_Tab);
  ASSERT_TRUE(button->hasFocus());
  std::vector<Reducer> told;
  QObject::connect(&pane, &MapPane::reducerChanged, [&](Reducer r) { told.push_back(r); });
  // The menu runs its own event loop: keys for it are sent from inside.
  QTimer::singleShot(0, [&] {
    QTest::keyClick(button->menu(), Qt::Key_Down);
    QTest::keyClick(button->menu(), Qt::Key_Return);
  });
  QTest::keyClick(button, Qt::Key_Space);
  EXPECT_EQ(told, std::vector<Reducer>{Reducer::min});
  EXPECT_EQ(pane.reducer(), Reducer::min);
  EXPECT_EQ(button->text(), "min ▾");
  EXPECT_TRUE(button->accessibleName().contains("min"));
}

TEST(MapPane, OnlyMapsOfValuesOfferTheirColours) {
  MapPane pane;
  const auto offered = [&] {
    QStringList names;
    for (const QAction* action : pane.findChild<ReducerButton*>()->menu()->actions()) {
      if (action->isVisible() && !action->isSeparator()) names.push_back(action->text());
    }
    return names.size();
  };
  pane.setMap(mapOf(4, 6, 3.0f), viridis());
  EXPECT_EQ(offered(), 5);
  pane.setMap(mapOf(4, 6, 3.0f), ColorMap::bits(Palette::of(ThemeKind::light), 17));
  EXPECT_EQ(offered(), 3);
}

TEST(MapPane, DifferencesHaveTheColoursOfTheTheme) {
  // The same ratio, 4 times or a fourth, in light and dark.
  const auto map = mapOf(2, 1, 4.0f, [](auto& m) { m(1, 0) = 0.25f; });
  MapPane pane;
  for (const ThemeKind kind : {ThemeKind::light, ThemeKind::dark, ThemeKind::light}) {
    pane.setTheme(Theme::of(kind));
    if (!pane.heatmap()->map()) {
      pane.setMap(map, ColorMap::diverging(Palette::of(kind).diverging(), 1, 4,
                                           ColorMap::Scale::logarithmic));
    }
    const QImage image = exported(pane, {400, 300});
    const auto& table = Palette::of(kind).diverging();
    const QPoint aside(20, 30);  // beside the number
    EXPECT_EQ(image.pixel(pane.cellCentre(0, 0).toPoint() + aside), table.back());
    EXPECT_EQ(image.pixel(pane.cellCentre(1, 0).toPoint() + aside), table.front());
  }
}

TEST(MapPane, ZoomAndPanStayInsideTheMap) {
  MapPane pane;
  pane.setMap(mapOf(20, 100, 1.0f), viridis());
  pane.xAxis->setRange(-50, 300);
  EXPECT_EQ(pane.xAxis->range(), QCPRange(-0.5, 99.5));
  pane.xAxis->setRange(90, 130);
  EXPECT_EQ(pane.xAxis->range(), QCPRange(59.5, 99.5)) << "a pan keeps its width";
  pane.yAxis->setRange(5, 5.01);
  EXPECT_GE(pane.yAxis->range().size(), 4 - 1e-9);
  pane.resetZoom();
  EXPECT_EQ(pane.yAxis->range(), QCPRange(-0.5, 19.5));
}

}  // namespace
}  // namespace qaq::views
