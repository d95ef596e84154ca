// Charts: every number of a series is on the plot, in its place, and nothing covers anything else.
#include "views/plots/chart_plot.h"

#include <QPointer>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/views/views_fixture.h"
#include "views/plots/chart_panel.h"
#include "views/plots/chart_ticker.h"
#include "views/plots/point_labels.h"

namespace qaq::views {
namespace {

QRgb colorOf(int style, ThemeKind theme = ThemeKind::light) {
  return Palette::of(theme).categories().at(static_cast<std::size_t>(style)).color;
}

ChartSeries series(ChartMark mark, int style, std::vector<ChartPoint> points) {
  return {.name = "series " + std::to_string(style),
          .mark = mark,
          .style = style,
          .points = std::move(points)};
}

Chart oneOf(const ChartPanel& panel) {
  return {.title = "A chart", .subtitle = "of a test", .columns = 1, .panels = {panel}};
}

// Two rows of panels, a heat map among them, with everything that a chart can have.
Chart full() {
  ChartPanel lines{.title = "Lines",
                   .x = {.label = "length", .unit = "token", .scale = ChartScale::log},
                   .y = {.label = "share"},
                   .series = {series(ChartMark::line_points, 0,
                                     {{.x = 10, .y = .2, .low = .1, .high = .4},
                                      {.x = 100, .y = .5},
                                      {.x = 1000, .y = .9, .low = .8, .high = 1}}),
                              series(ChartMark::rug, 7, {{.x = 20}, {.x = 200}})},
                   .lines = {{.at = .6, .label = "the whole"},
                             {.kind = ChartLineKind::x, .at = 900, .label = "a limit"}}};
  ChartPanel names{.title = "Names",
                   .x = {.label = "ratio"},
                   .y = {.label = "",
                         .scale = ChartScale::category,
                         .names = {"a rather long name of a row", "b"}},
                   .series = {series(ChartMark::points, 1, {{.x = 2, .y = 0}, {.x = 3, .y = 1}})}};
  ChartPanel bars{.title = "Bars",
                  .x = {.label = "length", .scale = ChartScale::category, .names = {"32", "64"}},
                  .y = {.label = "time", .unit = "s"},
                  .series = {series(ChartMark::bars, 2, {{.x = 0, .y = 1}, {.x = 1, .y = 2}}),
                             series(ChartMark::bars, 3, {{.x = 0, .y = 3}, {.x = 1, .y = 1}})}};
  ChartPanel heat{
      .title = "Heat",
      .x = {.label = "key"},
      .y = {.label = "query"},
      .z = {.label = "score", .scale = ChartScale::log, .least = 1e-4, .most = 1},
      .series = {
          series(ChartMark::heat, 0,
                 {{.x = 0, .y = 0, .z = 1}, {.x = 0, .y = 1, .z = .1}, {.x = 1, .y = 1, .z = .9}}),
          series(ChartMark::rings, 0, {{.x = 1, .y = 1}})}};
  return {.title = "A chart",
          .subtitle = "of a test",
          .panels = {lines, names, bars, heat},
          .notes = {"A note that says at some length what the bars and the lines are, so that it "
                    "has to be broken where the picture is narrow."}};
}

QImage pictureOf(ChartPlot& plot, const FigureStyle& style = {}) {
  return chartPage(plot, style).image();
}

// Where a point is drawn.
QPoint placeOf(const ChartPlot& plot, int panel, double x, double y) {
  QCPAxisRect* axes = plot.panels()[panel];
  return QPointF(axes->axis(QCPAxis::atBottom)->coordToPixel(x),
                 axes->axis(QCPAxis::atLeft)->coordToPixel(y))
      .toPoint();
}

TEST(ChartPlot, EveryPointIsDrawnInItsPlace) {
  ChartPlot plot;
  plot.setChart(full());
  const QImage image = pictureOf(plot);
  const QRect around(-2, -2, 5, 5);
  for (const auto& [x, y] : {std::pair{10., .2}, {100., .5}, {1000., .9}}) {
    const QRect place = around.translated(placeOf(plot, 0, x, y));
    EXPECT_GT(test::countPixels(image, colorOf(0), place), 10) << x;
  }
  for (const auto& [x, y] : {std::pair{2., 0.}, {3., 1.}}) {
    const QRect place = around.translated(placeOf(plot, 1, x, y));
    EXPECT_GT(test::countPixels(image, colorOf(1), place), 10) << x;
  }
}

TEST(ChartPlot, ABandLiesBetweenLowAndHighAndEndsAtALogarithmicEdge) {
  ChartPanel panel{.title = "Spread",
                   .x = {.label = "layer"},
                   .y = {.label = "error", .scale = ChartScale::log},
                   .series = {series(ChartMark::band, 2,
                                     {{.x = 0, .y = 10, .low = 1, .high = 100},
                                      {.x = 4, .y = 10, .low = 0, .high = 100}})}};
  ChartPlot plot;
  plot.setChart(oneOf(panel));
  const QImage image = pictureOf(plot);
  const QRgb surface = Theme::of(ThemeKind::light).surface.rgb();
  const QRgb inside = image.pixel(placeOf(plot, 0, 1.3, 30));
  EXPECT_NE(inside, surface);
  EXPECT_GT(qGreen(inside), qRed(inside)) << "a veil of bluish green";
  EXPECT_EQ(image.pixel(placeOf(plot, 0, 0.3, 3)), inside);
  EXPECT_EQ(image.pixel(placeOf(plot, 0, 3.9, .87)), inside) << "no low end on the axis";
  EXPECT_NE(image.pixel(placeOf(plot, 0, 1.3, 115)), inside);
  EXPECT_EQ(plot.panels()[0]->axis(QCPAxis::atLeft)->range().contains(1), true);
}

TEST(ChartPlot, BarsStandOnEachOther) {
  ChartPlot plot;
  plot.setChart(full());
  const QImage image = pictureOf(plot);
  EXPECT_EQ(image.pixel(placeOf(plot, 2, 0, .5)), colorOf(2));
  EXPECT_EQ(image.pixel(placeOf(plot, 2, 0, 3.5)), colorOf(3)) << "from 1 to 4";
  EXPECT_EQ(image.pixel(placeOf(plot, 2, 1, 2.5)), colorOf(3)) << "from 2 to 3";
  EXPECT_NE(image.pixel(placeOf(plot, 2, 1, 3.3)), colorOf(3));
  EXPECT_GT(plot.panels()[2]->axis(QCPAxis::atLeft)->range().upper, 4);
}

TEST(ChartPlot, BarsOfNamesLieAlongXWithTheirTextsOnTheRight) {
  ChartPanel panel{
      .x = {.label = "KL"},
      .y = {.label = "", .scale = ChartScale::category, .names = {"keys", "values"}},
      .series = {series(ChartMark::bars, kPlainStyle, {{.x = 4, .y = 0}, {.x = 1, .y = 1}})},
      .lines = {{.kind = ChartLineKind::x, .at = 3, .label = "before"}}};
  panel.series[0].labels = {"4 a", "1 b"};
  ChartPlot plot;
  plot.setChart(oneOf(panel));
  const QImage image = pictureOf(plot);
  const QRgb bar = Palette::of(ThemeKind::light).single("neutral_bar").rgb();
  EXPECT_EQ(image.pixel(placeOf(plot, 0, 3.5, 0)), bar);
  EXPECT_EQ(image.pixel(placeOf(plot, 0, .5, 1)), bar);
  EXPECT_NE(image.pixel(placeOf(plot, 0, 1.5, 1)), bar);
  EXPECT_EQ(plot.panels()[0]->axis(QCPAxis::atBottom)->range().lower, 0);
  QCPAxis* right = plot.panels()[0]->axis(QCPAxis::atRight);
  EXPECT_EQ(right->tickVectorLabels(), (QVector<QString>{"4 a", "1 b"}));
  EXPECT_EQ(right->coordToPixel(1), plot.panels()[0]->axis(QCPAxis::atLeft)->coordToPixel(1));
}

TEST(ChartPlot, TextsStandAboveBarsAndABoxAroundOne) {
  ChartPanel panel{.x = {.label = "step", .scale = ChartScale::category, .names = {"a", "b"}},
                   .y = {.label = "KL"},
                   .series = {series(ChartMark::bars, kNotedStyle, {{.x = 1, .y = 2}}),
                              series(ChartMark::bars, kPlainStyle, {{.x = 0, .y = 1}}),
                              series(ChartMark::boxes, 0, {{.x = 1, .y = 2}})}};
  panel.series[0].labels = {"▲"};
  ChartPlot plot;
  plot.setChart(oneOf(panel));
  const QImage image = pictureOf(plot);
  const Theme& theme = Theme::of(ThemeKind::light);
  const QPoint top = placeOf(plot, 0, 1, 2);
  EXPECT_EQ(image.pixel(placeOf(plot, 0, 1, 1.5)), theme.violation.rgb());
  EXPECT_GT(
      test::countPixels(image, theme.violation.rgb(), QRect(top.x() - 6, top.y() - 14, 13, 12)), 10)
      << "the triangle";
  const QPoint side = placeOf(plot, 0, 1.47, 1);
  EXPECT_GT(test::countPixels(image, theme.accent.rgb(), QRect(side.x() - 3, side.y(), 7, 1)), 0);
}

TEST(ChartPlot, ColoursWithACentreDivergeAsFarToBothSides) {
  ChartPanel panel{
      .x = {.label = "layer"},
      .y = {.label = "head"},
      .z = {.label = "change", .centre = 0},
      .series = {
          series(ChartMark::heat, 0,
                 {{.x = 0, .y = 0, .z = -4}, {.x = 1, .y = 0, .z = 0}, {.x = 2, .y = 0, .z = 1}})}};
  ChartPlot plot;
  plot.setChart(oneOf(panel));
  const QImage image = pictureOf(plot);
  const QColor low(image.pixel(placeOf(plot, 0, 0, 0))), none(image.pixel(placeOf(plot, 0, 1, 0))),
      high(image.pixel(placeOf(plot, 0, 2, 0)));
  EXPECT_GT(low.blue(), low.red());
  EXPECT_LT(std::abs(none.red() - none.blue()), 12) << "neutral";
  EXPECT_GT(high.red(), high.blue());
  EXPECT_GT(high.lightness(), low.lightness()) << "a quarter of the way";
  for (const double tick : plot.panels()[0]->axis(QCPAxis::atBottom)->tickVector()) {
    EXPECT_EQ(tick, std::round(tick));
  }
}

TEST(NameTicker, TurnsNamesAndLeavesSomeOutBeforeTheyOverlap) {
  for (const int n : {3, 20, 400}) {
    ChartPanel panel{.x = {.label = "x", .scale = ChartScale::category}, .y = {.label = "y"}};
    panel.series = {series(ChartMark::bars, 0, {})};
    for (int i = 0; i < n; ++i) {
      panel.x.names.push_back("word " + std::to_string(i));
      panel.series[0].points.push_back({.x = static_cast<double>(i), .y = 1});
    }
    ChartPlot plot;
    plot.setChart(oneOf(panel));
    pictureOf(plot, {.size = QSize(680, 460)});
    const QCPAxis* axis = plot.panels()[0]->axis(QCPAxis::atBottom);
    EXPECT_EQ(axis->tickLabelRotation() != 0, n > 3);
    const QVector<QString> names = axis->tickVectorLabels();
    double last = -1e9;
    int shown = 0;
    for (qsizetype i = 0; i < names.size(); ++i) {
      if (names[i].isEmpty()) continue;
      const double at = axis->coordToPixel(axis->tickVector()[i]);
      EXPECT_GE(at - last, QFontMetricsF(axis->tickLabelFont()).height()) << n;
      last = at;
      ++shown;
    }
    EXPECT_EQ(shown == n, n < 400) << shown;
  }
}

TEST(ChartPlot, CellsHaveTheirColourAndMarksARing) {
  ChartPlot plot;
  plot.setChart(full());
  const QImage image = pictureOf(plot);
  const auto& viridis = Palette::of(ThemeKind::light).viridis();
  const auto near = [](QRgb a, QRgb b) {
    return std::abs(qRed(a) - qRed(b)) + std::abs(qGreen(a) - qGreen(b)) +
           std::abs(qBlue(a) - qBlue(b));
  };
  EXPECT_LT(near(image.pixel(placeOf(plot, 3, 0, 0)), viridis.back()), 12) << "the largest";
  EXPECT_LT(near(image.pixel(placeOf(plot, 3, 0, 1)), viridis[191]), 30) << "3 of 4 decades up";
  EXPECT_EQ(image.pixel(placeOf(plot, 3, 1, 0)), Theme::of(ThemeKind::light).surface.rgb())
      << "not there";
  const QRect ring = QRect(-9, -9, 19, 19).translated(placeOf(plot, 3, 1, 1));
  EXPECT_GT(test::countPixels(image, Theme::of(ThemeKind::light).violation.rgb(), ring), 10);
}

TEST(ChartPlot, AnIntervalReachesFromItsLowToItsHigh) {
  ChartPanel panel{.x = {.label = "x"}, .y = {.label = "y"}};
  panel.series = {
      series(ChartMark::points, 0, {{.x = 1, .y = 5, .low = 2, .high = 9}, {.x = 2, .y = 1}})};
  ChartPlot plot;
  plot.setChart(oneOf(panel));
  const QImage image = pictureOf(plot);
  const Theme& theme = Theme::of(ThemeKind::light);
  const auto inked = [&](double x, double y) {
    const QPoint at = placeOf(plot, 0, x, y);
    const auto is_ink = [&](QRgb pixel) {
      return pixel != theme.surface.rgb() && pixel != theme.grid.rgb();
    };
    return is_ink(image.pixel(at)) || is_ink(image.pixel(at + QPoint(1, 0)));
  };
  EXPECT_TRUE(inked(1, 2.2));
  EXPECT_TRUE(inked(1, 8.8));
  EXPECT_FALSE(inked(1, 9.25));
  EXPECT_FALSE(inked(2, 1.8)) << "a point without an interval";
  EXPECT_GE(plot.panels()[0]->axis(QCPAxis::atLeft)->range().upper, 9);
}

TEST(ChartPlot, AShiftMovesOneSeriesBesideAnother) {
  ChartPanel panel{.x = {.label = "x"}, .y = {.label = "y"}};
  ChartSeries moved = series(ChartMark::points, 1, {{.x = 1, .y = 1}, {.x = 3, .y = 1}});
  moved.shift = .5;
  panel.series = {series(ChartMark::points, 0, {{.x = 1, .y = 1}, {.x = 3, .y = 1}}), moved};
  ChartPlot plot;
  plot.setChart(oneOf(panel));
  const QImage image = pictureOf(plot);
  EXPECT_EQ(image.pixel(placeOf(plot, 0, 1, 1)), colorOf(0));
  EXPECT_EQ(image.pixel(placeOf(plot, 0, 1.5, 1)), colorOf(1));
}

TEST(ChartPlot, WhatHasNoPlaceOnALogarithmIsSaid) {
  ChartPanel panel{.x = {.label = "x"}, .y = {.label = "y", .scale = ChartScale::log}};
  panel.series = {series(ChartMark::points, 0, {{.x = 1, .y = 0}, {.x = 2, .y = .1}})};
  EXPECT_EQ(undrawable(oneOf(panel)), 1);
  ChartPlot plot;
  plot.setChart(oneOf(panel));
  const int with_note = plot.sizeHint().height();
  panel.series[0].points[0].y = 1;
  EXPECT_EQ(undrawable(oneOf(panel)), 0);
  plot.setChart(oneOf(panel));
  EXPECT_LT(plot.sizeHint().height(), with_note);
  panel.series = {series(ChartMark::steps, 0, {{.x = 1, .y = 0}, {.x = 2, .y = 10}})};
  EXPECT_EQ(undrawable(oneOf(panel)), 0) << "an empty bin lies at the bottom";
}

TEST(ChartPlot, NoValuesIsNoCrash) {
  ChartPanel panel{.x = {.label = "x"}, .y = {.label = "y", .scale = ChartScale::log}};
  panel.series = {series(ChartMark::points, 0, {{.x = 1, .y = 0}})};
  ChartPlot plot;
  plot.setChart(oneOf(panel));
  EXPECT_FALSE(pictureOf(plot).isNull());
  EXPECT_EQ(plot.graphCount(), 0);
  EXPECT_EQ(plot.itemCount(), 1) << "says that there are none";
  plot.setChart({});
  EXPECT_FALSE(pictureOf(plot).isNull());
}

TEST(ChartPlot, ANameStandsInTheLegendOnce) {
  ChartPlot plot;
  Chart chart = full();
  chart.panels[1].series[0].name = "series 0";
  plot.setChart(chart);
  EXPECT_EQ(plot.chartLegend()->names(),
            (QStringList{"series 0", "series 7", "series 2", "series 3", "the whole", "a limit"}));
}

class Sizes : public testing::TestWithParam<QSize> {};
INSTANTIATE_TEST_SUITE_P(Pictures, Sizes,
                         testing::Values(QSize(), QSize(1600, 1000), QSize(600, 900)));

TEST_P(Sizes, NothingIsCutAndNothingOverlaps) {
  ChartPlot plot;
  plot.setChart(full());
  const QImage image = pictureOf(plot, {.size = GetParam()});
  const QRgb surface = Theme::of(ThemeKind::light).surface.rgb();
  for (const QRect& edge : {QRect(0, 0, image.width(), 1), QRect(0, 0, 1, image.height()),
                            QRect(image.width() - 1, 0, 1, image.height()),
                            QRect(0, image.height() - 1, image.width(), 1)}) {
    EXPECT_EQ(test::countPixels(image, surface, edge), edge.width() * edge.height());
  }
  QList<QRect> parts{plot.heading()->outerRect(), plot.chartLegend()->outerRect(),
                     plot.notes()->outerRect()};
  for (const QCPAxisRect* axes : plot.panels()) {
    parts.push_back(axes->outerRect());
    EXPECT_GT(axes->width(), 100);
    EXPECT_GT(axes->height(), 60);
  }
  for (qsizetype i = 0; i < parts.size(); ++i) {
    EXPECT_TRUE(image.rect().contains(parts[i])) << i;
    for (qsizetype j = 0; j < i; ++j)
      EXPECT_FALSE(parts[i].adjusted(0, 0, -1, -1).intersects(parts[j].adjusted(0, 0, -1, -1)))
          << i << " at " << parts[i].top() << " to " << parts[i].bottom() << ", " << j << " at "
          << parts[j].top() << " to " << parts[j].bottom();
  }
}

// Else a layout that asks for it would be asked anew, without end.
TEST(ChartPlot, ItsSizeHintChangesNothing) {
  ChartPlot plot;
  plot.setChart(full());
  plot.resize(260, 500);
  plot.replot();
  const QSize least = plot.plotLayout()->minimumOuterSizeHint();
  EXPECT_GT(plot.sizeHint().width(), plot.width()) << "its texts take fewer lines there";
  EXPECT_EQ(plot.plotLayout()->minimumOuterSizeHint(), least);
}

TEST(ChartPlot, WhatIsDrawnOverAPanelGoesWithIt) {
  ChartPlot plot;
  plot.setChart(full());
  const QPointer<PointLabels> labels = new PointLabels(plot.panels().first(), "overlay");
  plot.setChart(full());
  EXPECT_TRUE(labels.isNull());
  plot.replot();
}

TEST(ChartPlot, ThemesAndPages) {
  const qaq::test::TemporaryFolder folder;
  ChartPlot plot;
  plot.setChart(full());
  const QImage dark = pictureOf(plot, {.theme = ThemeKind::dark, .scale = 2});
  EXPECT_EQ(dark.size(), plot.sizeHint() * 2);
  EXPECT_EQ(dark.pixel(2, 2), Theme::of(ThemeKind::dark).surface.rgb());
  EXPECT_GT(test::countPixels(dark, colorOf(2, ThemeKind::dark)), 100);
  Chart plain = full();
  plain.panels.pop_back();
  ChartPlot few;
  few.setChart(plain);
  const FigurePage page = chartPage(few, {.provenance = "made by hand"});
  page.save(QString::fromStdString(folder.file("few.png")));
  const QImage saved(QString::fromStdString(folder.file("few.png")));
  EXPECT_EQ(saved.text("Description"), "made by hand");
  EXPECT_LE(saved.colorCount(), 256);
  for (const int style : {0, 1, 2, 3}) {
    EXPECT_GE(test::countPixels(saved.convertToFormat(QImage::Format_RGB32), colorOf(style)),
              test::countPixels(page.image(), colorOf(style)));
  }
  const QString path = QString::fromStdString(folder.file("c.pdf"));
  chartPage(plot, {.provenance = "made by hand"}).save(path);
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  const QByteArray bytes = file.readAll();
  EXPECT_TRUE(bytes.startsWith("%PDF-"));
  EXPECT_TRUE(bytes.contains("/FontDescriptor")) << "text stays text";
  EXPECT_THROW(chartPage(plot, {}).save(QString::fromStdString(folder.file("c.gif"))), Error);
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"c.pdf", "few.png"}));
  EXPECT_EQ(pictureOf(plot), pictureOf(plot)) << "the same chart, the same picture";
}

TEST(LogTicker, HasAsManyTicksAsThereIsRoom) {
  ChartPanel panel{.x = {.label = "x", .scale = ChartScale::log},
                   .y = {.label = "y", .scale = ChartScale::log}};
  for (const double span : {1.5, 3., 30., 1e3, 1e9, 1e30}) {
    panel.series = {series(ChartMark::points, 0, {{.x = 1, .y = 1}, {.x = span, .y = span}})};
    ChartPlot plot;
    plot.setChart(oneOf(panel));
    pictureOf(plot);
    for (const auto type : {QCPAxis::atBottom, QCPAxis::atLeft}) {
      const QCPAxis* axis = plot.panels()[0]->axis(type);
      const QVector<double> ticks = axis->tickVector();
      EXPECT_GE(ticks.size(), 2) << span;
      for (qsizetype i = 1; i < ticks.size(); ++i) {
        const double gap =
            std::abs(axis->coordToPixel(ticks[i]) - axis->coordToPixel(ticks[i - 1]));
        EXPECT_GE(gap, type == QCPAxis::atBottom ? 20 : 12) << span << " at " << ticks[i];
      }
    }
  }
}

}  // namespace
}  // namespace qaq::views
