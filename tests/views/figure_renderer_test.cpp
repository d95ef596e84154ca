// Figures come from the same drawing code as the window, at the size asked for.
#include "views/plots/figure_renderer.h"

#include <QFile>
#include <QPainter>
#include <QSvgRenderer>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

SharedSlice drawnSlice() {
  static const SharedSlice kSlice = [] {
    const auto analysis = test::plantedAnalysis();
    return loadSlice(analysis, defaultSlice(*analysis));
  }();
  return kSlice;
}

class Figure : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Views, Figure,
                         testing::Values("bits", "outliers", "attention", "persistence", "errors",
                                         "distributions", "tradeoff", "tokens", "memory", "table"));

TEST_P(Figure, PictureHasTheSizeTheColoursAndItsOrigin) {
  const qaq::test::TemporaryFolder folder;
  const QString path = QString::fromStdString(folder.file("f.png"));
  FigureRenderer(GetParam(), drawnSlice(),
                 {.theme = ThemeKind::dark,
                  .size = {900, 400},
                  .scale = 2,
                  .provenance = "planted.h5; --set a=1"})
      .save(path);
  const QImage image(path);
  EXPECT_EQ(image.size(), QSize(1800, 800));
  EXPECT_EQ(image.text("Description"), "planted.h5; --set a=1");
  EXPECT_GT(test::countPixels(image, Theme::of(ThemeKind::dark).surface.rgb()), 1800 * 800 / 5);
  QSet<QRgb> colours;
  for (int y = 0; y < image.height(); y += 3) {
    for (int x = 0; x < image.width(); x += 3) colours.insert(image.pixel(x, y));
  }
  EXPECT_GT(colours.size(), 20);
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"f.png"})) << "nothing temporary is left";
}

TEST_P(Figure, PageIsAPdfWithTextAndItsOrigin) {
  const qaq::test::TemporaryFolder folder;
  const QString path = QString::fromStdString(folder.file("f.pdf"));
  FigureRenderer(GetParam(), drawnSlice(), {.size = {960, 480}, .provenance = "planted"}).save(path);
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  const QByteArray bytes = file.readAll();
  EXPECT_TRUE(bytes.startsWith("%PDF-"));
  EXPECT_TRUE(bytes.contains("/MediaBox [0 0 720.")) << "960 px are 720 points";
  EXPECT_TRUE(bytes.contains("/FontDescriptor")) << "text stays text";
  EXPECT_LT(bytes.size(), 2 * 1000 * 1000);
}

TEST_P(Figure, DrawingIsAnSvgWithTextAndItsOrigin) {
  const qaq::test::TemporaryFolder folder;
  const QString path = QString::fromStdString(folder.file("f.svg"));
  FigureRenderer(GetParam(), drawnSlice(), {.size = {960, 480}, .provenance = "planted <1>"}).save(path);
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  const QString text = QString::fromUtf8(file.readAll());
  EXPECT_TRUE(text.contains("<desc>planted &lt;1&gt;</desc>"));
  EXPECT_TRUE(text.contains("width=\"254mm\" height=\"127mm\"")) << "960 px are 254 mm";
  EXPECT_TRUE(text.contains("<text "));
  QSvgRenderer renderer(path);
  ASSERT_TRUE(renderer.isValid());
  QImage image(960, 480, QImage::Format_RGB32);
  image.fill(Qt::magenta);
  QPainter painter(&image);
  renderer.render(&painter);
  EXPECT_EQ(test::countPixels(image, qRgb(255, 0, 255)), 0);
  const QImage drawn = FigureRenderer(GetParam(), drawnSlice(), {.size = {960, 480}}).image();
  int different = 0;
  for (int y = 0; y < 480; ++y) {
    for (int x = 0; x < 960; ++x) {
      different += qAbs(qGray(image.pixel(x, y)) - qGray(drawn.pixel(x, y))) > 64;
    }
  }
  EXPECT_LT(different, 960 * 480 / 25) << "looks as the picture does";
}

TEST(FigureRenderer, AFormulaIsOfTheCellThatIsLocked) {
  const Cursor cell{.side = CacheSide::key, .layer = 0, .kvHead = 1, .token = 3};
  const FigureRenderer renderer("formula", drawnSlice(), {.size = {700, 400}}, cell);
  const QImage image = renderer.image();
  EXPECT_GT(test::countPixels(image, Theme::of(ThemeKind::light).accent.rgb()), 50) << "symbols";
  EXPECT_THROW(FigureRenderer("formula", drawnSlice(), {}), Error) << "there is none";
}

TEST(FigureRenderer, TwoRunsGiveTheSamePicture) {
  const FigureRenderer::Style style{.size = {800, 400}};
  EXPECT_EQ(FigureRenderer("attention", drawnSlice(), style).image(),
            FigureRenderer("attention", drawnSlice(), style).image());
}

TEST(FigureRenderer, WhatCannotBeWrittenIsRefusedInOneLineAndLeavesNothing) {
  const qaq::test::TemporaryFolder folder;
  const FigureRenderer renderer("bits", drawnSlice(), {.size = {400, 300}});
  const auto kindOf = [&](const std::string& path) {
    try {
      renderer.save(QString::fromStdString(path));
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error.kind();
    }
    ADD_FAILURE() << path << " was written";
    return ErrorKind::input;
  };
  EXPECT_EQ(kindOf(folder.file("f.gif")), ErrorKind::usage);
  EXPECT_EQ(kindOf(folder.file("nowhere/f.png")), ErrorKind::work);
  EXPECT_TRUE(folder.names().empty());
  EXPECT_THROW(FigureRenderer("bit", drawnSlice(), {}), Error);
}

}  // namespace
}  // namespace qaq::views
