// V5: errors by layer as lines, by layer and token as a map, each layer quantized alone.
#include "views/plots/error_view.h"

#include <QToolButton>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"
#include "views/plots/chart_look.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

class Errors : public ::testing::Test {
 protected:
  Errors() : analysis(plantedAnalysis()), slice(loadSlice(analysis, {.layer = 1, .kvHead = 0})) {
    selection.reset(analysis->capture->info(), slice->slice);
  }
  static QRgb colourOf(ErrorOf which, ThemeKind theme) {
    return Palette::of(theme).categories()[static_cast<std::size_t>(which)].color;
  }

  SharedAnalysis analysis;
  SharedSlice slice;
  SelectionModel selection;
};

TEST_F(Errors, MeansAreDrawnAtTheirLayer) {
  const LayerErrors errors = layer_errors(*analysis->replay, analysis->capture->info());
  for (const ThemeKind theme : {ThemeKind::light, ThemeKind::dark}) {
    ErrorView view(&selection);
    const ShownView shown(view, slice, {900, 900}, theme);
    const ErrorLines* lines = view.lines();
    for (const ErrorOf which : {ErrorOf::key, ErrorOf::attention}) {  // full signs
      for (std::size_t i = 0; i < errors.layers.size(); ++i) {
        const QPointF at(lines->xAxis->coordToPixel(errors.layers[i]),
                         lines->yAxis->coordToPixel(errors.of(which).mean[i]));
        if (errors.layers[i] == 1) continue;  // under the mark of the current layer
        EXPECT_EQ(shown.image().pixel(lines->mapTo(&view, at.toPoint())) & 0xffffff,
                  colourOf(which, theme) & 0xffffff)
            << i;
      }
    }
  }
}

TEST_F(Errors, TheMapHasTheErrorsWithLayersUnderThoseOfTheLines) {
  ErrorView view(&selection);
  const ShownView shown(view, slice, {900, 900});
  const ErrorPane* map = view.map();
  const ErrorLines* lines = view.lines();
  EXPECT_EQ(map->axisRect()->rect().left(), lines->axisRect()->rect().left());
  EXPECT_EQ(map->axisRect()->rect().right(), lines->axisRect()->rect().right());
  for (const int layer : {0, 1, 2, 3}) {
    const double middle =
        (map->cellCentre(0, 2 * layer).x() + map->cellCentre(0, 2 * layer + 1).x()) / 2;
    EXPECT_NEAR(lines->xAxis->coordToPixel(layer), middle, 1);
  }
  const ColorMap& colors = map->heatmap()->colors();
  for (const int token : {0, 13, 39}) {
    for (const int index : {0, 2}) {
      const int layer = index == 2 ? 3 : 0;
      EXPECT_EQ(shown.cell(map, token, 2 * layer + 1),
                colors(analysis->replay->value.error(index, 1, token)));
    }
  }
  const QRect absent(map->mapTo(&view, map->cellCentre(5, 4).toPoint()),
                     map->mapTo(&view, map->cellCentre(30, 5).toPoint()));
  EXPECT_GT(countPixels(shown.image(), Theme::of(ThemeKind::light).hatch.rgb(), absent), 0);
  EXPECT_TRUE(map->header()->text().contains("this layer only quantized"));
}

TEST_F(Errors, TheSwitchChoosesTheMap) {
  ErrorView view(&selection);
  ShownView shown(view, slice, {900, 900});
  EXPECT_TRUE(view.button(ErrorOf::value)->isChecked());
  for (const ErrorOf which : kAllErrors) {
    QTest::mouseClick(view.button(which), Qt::LeftButton);
    shown.refresh();
    EXPECT_TRUE(view.button(which)->isChecked());
    const auto map = error_map(*analysis->replay, analysis->capture->info(), which);
    const SharedHeatmap& got = view.map()->heatmap()->map();
    ASSERT_EQ(got->rows(), map.rows());
    ASSERT_EQ(got->columns(), map.columns());
    for (std::int64_t row = 0; row < map.rows(); ++row) {
      for (std::int64_t column = 0; column < map.columns(); ++column) {
        EXPECT_EQ(got->at(row, column), map.at(row, column));
      }
    }
    EXPECT_TRUE(view.map()->header()->text().startsWith(errorTitle(which)));
  }
}

TEST_F(Errors, TheCurrentLayerIsMarkedAndAClickChoosesAnother) {
  ErrorView view(&selection);
  ShownView shown(view, slice, {900, 900});
  ErrorLines* lines = view.lines();
  const QRgb accent = Theme::of(ThemeKind::light).accent.rgb();
  const auto marked = [&](double layer) {
    const QRect plot = lines->axisRect()->rect();
    const QPoint top =
        lines->mapTo(&view, QPoint(qRound(lines->xAxis->coordToPixel(layer)) - 1, plot.top() + 2));
    return countPixels(shown.image(), accent, QRect(top, QSize(3, plot.height() - 4))) >
           plot.height() / 2;
  };
  EXPECT_TRUE(marked(1));
  EXPECT_FALSE(marked(3));
  const QPoint at(qRound(lines->xAxis->coordToPixel(3)), lines->axisRect()->rect().center().y());
  QTest::mouseClick(lines, Qt::LeftButton, {}, at);
  EXPECT_EQ(selection.slice().layer, 2) << "the third captured layer";
  shown.refresh();
  EXPECT_TRUE(marked(3));
  EXPECT_FALSE(marked(1));
  QTest::keyClick(lines, Qt::Key_Left);
  EXPECT_EQ(selection.slice().layer, 1);
  const QPoint absent(qRound(lines->xAxis->coordToPixel(2)), at.y());
  QTest::mouseClick(lines, Qt::LeftButton, {}, absent);
  EXPECT_EQ(selection.slice().layer, 1) << "layer 2 was not captured";
}

TEST_F(Errors, ACellOfTheMapIsTheCellOfEveryView) {
  ErrorView view(&selection);
  const ShownView shown(view, slice, {900, 900});
  ErrorPane* map = view.map();
  QTest::mouseClick(map, Qt::LeftButton, {}, map->cellCentre(12, 7).toPoint());
  ASSERT_TRUE(selection.locked());
  EXPECT_EQ(*selection.locked(),
            (Cursor{.side = CacheSide::value, .layer = 2, .kvHead = 1, .token = 12}));
  view.setShown(ErrorOf::output);
  QTest::mouseClick(map, Qt::LeftButton, {}, map->cellCentre(20, 1).toPoint());
  EXPECT_EQ(selection.locked()->step, 20);
  EXPECT_EQ(selection.locked()->layer, 0);
  QTest::keyClick(map, Qt::Key_Right);
  EXPECT_EQ(selection.locked()->layer, 1) << "column 2 is the next layer's first KV head";
}

TEST_F(Errors, ThePictureStaysUntilAllErrorsAreKnown) {
  ErrorView view(&selection);
  ShownView shown(view, slice, {900, 900});
  const QImage before = shown.image();
  for (const auto stage :
       {Analysis::Stage::bits, Analysis::Stage::errors, Analysis::Stage::violations}) {
    view.show(loadSlice(
        analyse({.capture = analysis->capture, .params = {}, .prefix = 9, .through = stage}),
        slice->slice));
    shown.refresh();
    EXPECT_EQ(shown.image(), before);
  }
  view.show(
      loadSlice(analyse({.capture = analysis->capture, .params = {}, .prefix = 9}), slice->slice));
  shown.refresh();
  EXPECT_NE(shown.image(), before);
  EXPECT_EQ(view.map()->heatmap()->map()->at(9, 0), Heatmap::kImpossible) << "left exact";
}

TEST_F(Errors, NumbersStandInTheTableAndTheSummary) {
  ErrorView view(&selection);
  const ShownView shown(view, slice, {900, 900});
  const auto table = view.table();
  ASSERT_TRUE(table);
  EXPECT_EQ(table->n_rows, 3);
  const LayerErrors errors = layer_errors(*analysis->replay, analysis->capture->info());
  const std::vector<double>& means = errors.of(ErrorOf::value).mean;
  std::vector<float> found;
  table->for_each_row([&](std::span<const Cell> row) { found.push_back(std::get<float>(row[4])); });
  for (std::size_t i = 0; i < means.size(); ++i)
    EXPECT_FLOAT_EQ(found[i], static_cast<float>(means[i]));
  EXPECT_TRUE(view.summary().contains("each layer quantized alone"));
  EXPECT_TRUE(view.lines()->layerText(3).startsWith("layer 3: key "));
  EXPECT_EQ(view.lines()->layerText(2), "layer 2 was not captured");
}

TEST(ErrorView, WithoutQueriesThereAreErrorsOfTheCachesAlone) {
  CaptureInfo info = plantedInfo();
  const qaq::test::SyntheticShape shape{
      .n_layers = 3, .n_heads = 4, .n_kv_heads = 2, .n_tokens = 40, .head_dim = 16};
  MemoryCapture::Arrays arrays = qaq::test::synthetic_arrays(shape, 7);
  arrays.query.clear();
  info.has_queries = false;
  const auto capture = std::make_shared<MemoryCapture>(info, std::move(arrays));
  SelectionModel selection;
  ErrorView view(&selection);
  view.setShown(ErrorOf::output);
  const ShownView shown(view, loadSlice(analyse({.capture = capture}), {}));
  EXPECT_TRUE(view.button(ErrorOf::key)->isEnabled());
  EXPECT_FALSE(view.button(ErrorOf::attention)->isEnabled());
  EXPECT_TRUE(view.button(ErrorOf::value)->isChecked()) << "the map shows what there is";
  EXPECT_TRUE(view.map()->header()->text().startsWith("V error"));
}

}  // namespace
}  // namespace qaq::views
