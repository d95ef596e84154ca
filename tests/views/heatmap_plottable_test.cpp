// The heatmap engine: what one pixel of a picture says about the cells below it.
#include "views/plots/heatmap_plottable.h"

#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

using test::countPixels;
using test::waitFor;

SharedHeatmap mapOf(std::int64_t rows, std::int64_t columns, float fill,
                    const std::function<void(Heatmap&)>& plant) {
  Heatmap map;
  map.cells = NdArray<float, 2>({rows, columns}, fill);
  plant(map);
  return std::make_shared<const Heatmap>(std::move(map));
}

ColorMap viridis() {
  return ColorMap::logarithmic(Palette::of(ThemeKind::light).viridis(), 1e-3, 1);
}
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
  const auto map = mapOf(2, 2, 1.0f, [](Heatmap& m) {
    m.cells(0, 1) = Heatmap::kAbsent;
    m.cells(1, 0) = Heatmap::kImpossible;
  });
  const QRgb hatch = Theme::of(ThemeKind::light).hatch.rgb();
  const Tile tile = renderTile({.map = map,
                                .colors = viridis(),
                                .area = {.left = 0, .top = 0, .right = 2, .bottom = 2},
                                .pixels = {28, 28},
                                .scale = 1,
                                .hatch = hatch});
  EXPECT_EQ(countPixels(tile.image, brightest(), QRect(0, 0, 14, 14)), 14 * 14);
  EXPECT_EQ(countPixels(tile.image, hatch, QRect(14, 0, 14, 14)), 14 * 14 / 7) << "1 px in 7";
  for (int y = 14; y < 28; ++y) {
    for (int x = 0; x < 14; ++x) ASSERT_EQ(qAlpha(tile.image.pixel(x, y)), 0);
  }
}

TEST(HeatmapPlottable, EachCellHasItsColourAndNoneIsBlended) {
  const auto map = mapOf(60, 200, 1e-3f, [](Heatmap& m) {
    m.cells(0, 0) = m.cells(59, 199) = m.cells(30, 77) = 1.0f;
  });
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
  auto map = std::make_shared<Heatmap>();
  map->cells = NdArray<float, 2>({4, 6}, 3.0f);
  map->cells(1, 2) = 8.0f;
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

TEST(HeatmapPlottable, ALoneOutlierIsSeenAtEverySize) {
  const auto map = mapOf(1024, 4096, 1e-3f, [](Heatmap& m) { m.cells(717, 2911) = 1.0f; });
  MapPane pane;
  pane.setMap(map, viridis());
  for (const QSize size : {QSize(260, 220), QSize(411, 307), QSize(800, 600), QSize(1601, 1001)}) {
    EXPECT_GE(countPixels(exported(pane, size), brightest()), 1) << size.width();
    EXPECT_FALSE(pane.heatmap()->badge().isEmpty());
  }
}

TEST(HeatmapPlottable, ALoneOutlierIsSeenAtEveryZoom) {
  const auto map = mapOf(1024, 4096, 1e-3f, [](Heatmap& m) { m.cells(717, 2911) = 1.0f; });
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
  auto map = std::make_shared<Heatmap>();
  map->cells = NdArray<float, 2>({100, 3000});
  map->reducer = Reducer::min;
  MapPane pane;
  pane.setMap(map, viridis());
  const int margins = MapPane::kLeftMargin + MapPane::kRightMargin;
  exported(pane, {1000 + margins, 500});
  EXPECT_EQ(pane.heatmap()->badge(), "min of 3 × 1 cells");
  pane.xAxis->setRange(9.5, 209.5);
  exported(pane, {1000 + margins, 500});
  EXPECT_EQ(pane.heatmap()->badge(), "") << "no cell shares a pixel";
}

TEST(HeatmapPlottable, TheScreenIsDrawnByTheWorkerAndEqualsTheExport) {
  const auto map = mapOf(64, 300, 1e-3f, [](Heatmap& m) {
    for (int i = 0; i < 64; ++i) m.cells(i, 3 * i) = 1.0f;
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
  const auto before = mapOf(8, 8, 1.0f, [](Heatmap&) {});
  const auto after = mapOf(8, 8, 1e-3f, [](Heatmap&) {});
  MapPane pane;
  pane.resize(500, 400);
  pane.setMap(before, viridis());
  pane.show();
  ASSERT_TRUE(waitFor([&] { return pane.isSettled(); }));
  pane.setMap(after, viridis());
  EXPECT_FALSE(pane.isSettled());
  pane.replot(QCustomPlot::rpImmediateRefresh);
  // The worker's answer waits for the event loop, so this is what a user sees meanwhile.
  EXPECT_EQ(pane.grab().toImage().pixel(pane.cellCentre(4, 4).toPoint()), brightest());
  ASSERT_TRUE(waitFor([&] { return pane.isSettled(); }));
  QApplication::processEvents();
  EXPECT_EQ(pane.grab().toImage().pixel(pane.cellCentre(4, 4).toPoint()), darkest());
}

TEST(MapPane, ZoomAndPanStayInsideTheMap) {
  MapPane pane;
  pane.setMap(mapOf(20, 100, 1.0f, [](Heatmap&) {}), viridis());
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
