// V4: what tokens were worth before and after, with the jumps marked and listed.
#include "views/plots/persistence_view.h"

#include <QAbstractItemModelTester>
#include <cmath>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

const Slice kPlanted{.layer = Planted::kLayer, .kvHead = Planted::kHead / 2};
// Tokens t < s - 4 of the steps s from 5 on, of one query head.
constexpr int kPairsOfAHead = 35 * 36 / 2;

class Persistence : public ::testing::Test {
 protected:
  Persistence() : analysis(plantedAnalysis()), slice(loadSlice(analysis, kPlanted)) {
    selection.reset(analysis->capture->info(), kPlanted);
  }
  // Where the planted pair lies: 27.9 against 1.19 fair shares.
  static QPointF planted(const PersistenceView& view) {
    const PairPane* pane = view.histogram();
    const LogBins& bins = view.violations()->violations().pairs()->counts->histogram.bins;
    const double x = bins.place(31.0 / 26) - 0.5, y = bins.size() - bins.place(31 * 0.9) - 0.5;
    return {pane->xAxis->coordToPixel(x), pane->yAxis->coordToPixel(y)};
  }
  void expectPlantedIsLocked() const {
    ASSERT_TRUE(selection.locked());
    EXPECT_EQ(selection.locked()->layer, Planted::kLayer);
    EXPECT_EQ(selection.locked()->kvHead, Planted::kHead / 2);
    EXPECT_EQ(selection.locked()->step, Planted::kStep);
    EXPECT_EQ(selection.locked()->token, Planted::kToken);
  }

  SharedAnalysis analysis;
  SharedSlice slice;
  SelectionModel selection;
};

TEST_F(Persistence, ThePlantedViolationIsATriangleAboveTheLines) {
  for (const ThemeKind theme : {ThemeKind::light, ThemeKind::dark}) {
    for (const QSize size : {QSize(640, 460), QSize(1100, 700), QSize(1800, 1000)}) {
      PersistenceView view(&selection);
      const ShownView shown(view, slice, size, theme);
      const PairPane* pane = view.histogram();
      const QPointF at = planted(view);
      const QRgb magenta = Theme::of(theme).violation.rgb();
      EXPECT_EQ(shown.at(pane, at), magenta);
      // The two lines in its column lie below it, above the corner where the count is written.
      const QPoint middle = pane->mapTo(&view, at.toPoint());
      const QRect plot = pane->axisRect()->rect();
      const QPoint corner = pane->mapTo(&view, plot.topLeft());
      const QRect below(middle.x() - 12, middle.y() + 8, 24,
                        corner.y() + plot.height() - 40 - middle.y() - 8);
      EXPECT_GT(countPixels(shown.image(), magenta, below), 10);
      const MarkedCell place = pane->placeOf(Planted::kStep, Planted::kToken);
      const LogBins& bins = view.violations()->violations().pairs()->counts->histogram.bins;
      EXPECT_EQ(*place.column, bins.index(31.0f / 26));
      EXPECT_EQ(*place.row, bins.size() - 1 - bins.index(31 * 0.9f));
    }
  }
}

TEST_F(Persistence, CountsTheSlicesHeadsOrTheWholeCapture) {
  PersistenceView view(&selection);
  ShownView shown(view, slice);
  EXPECT_EQ(view.histogram()->header()->text(),
            "Importance persistence, layer 1 · query heads 2–3 · max");
  const auto sum = [&] {
    std::int64_t pairs = 0;
    view.table()->for_each_row(
        [&](std::span<const Cell> row) { pairs += std::get<std::int64_t>(row[4]); });
    return pairs;
  };
  EXPECT_EQ(sum(), 2 * kPairsOfAHead);
  view.setWhole(true);
  shown.refresh();
  EXPECT_EQ(sum(), 3 * 4 * kPairsOfAHead);
  EXPECT_EQ(view.histogram()->header()->text(),
            "Importance persistence, 3 of 4 layers, all heads · max");
  EXPECT_EQ(view.violations()->violations().rowCount(), 1);
  view.setWhole(false);
  shown.refresh();
  EXPECT_EQ(sum(), 2 * kPairsOfAHead);
}

TEST_F(Persistence, AClickOnTheTriangleLocksItsCell) {
  PersistenceView view(&selection);
  const ShownView shown(view, slice, {1100, 700});
  const QPoint beside = planted(view).toPoint() + QPoint(3, 2);
  QTest::mouseClick(view.histogram(), Qt::LeftButton, {}, beside);
  expectPlantedIsLocked();
  EXPECT_EQ(view.violations()->currentIndex().row(), 0) << "its row is marked";
}

TEST_F(Persistence, ARowOfTheTableLocksItsCellAndSaysItsNumbers) {
  PersistenceView view(&selection);
  const ShownView shown(view, slice, {1100, 700});
  ViolationTable* table = view.violations();
  ASSERT_EQ(table->model()->rowCount(), 1);
  QStringList row;
  for (int column = 0; column < ViolationModel::kColumns; ++column) {
    row += table->model()->index(0, column).data().toString();
  }
  EXPECT_EQ(row, QStringList({"1", "3", "30", "7  “ w7”", "0.900", "0.0385", "23.4 ×"}));
  const QModelIndex first = table->model()->index(0, 2);
  QTest::mouseClick(table->viewport(), Qt::LeftButton, {}, table->visualRect(first).center());
  expectPlantedIsLocked();
  selection.unlock();
  EXPECT_FALSE(table->currentIndex().isValid());
}

TEST_F(Persistence, ArrowKeysOnTheHistogramGoFromJumpToJump) {
  PersistenceView view(&selection);
  const ShownView shown(view, slice, {1100, 700});
  QTest::keyClick(view.histogram(), Qt::Key_Down);
  expectPlantedIsLocked();
}

TEST_F(Persistence, ThePairUnderThePointerIsMarkedInTheHistogram) {
  PersistenceView view(&selection);
  ShownView shown(view, slice, {1100, 700});
  const PairPane* pane = view.histogram();
  // Step 20 reads token 3 with 1/21, as much as is fair, after 1/16 at most.
  const MarkedCell place = pane->placeOf(20, 3);
  const QPoint middle = pane->mapTo(&view, pane->cellCentre(*place.row, *place.column).toPoint());
  const QRect plot = pane->axisRect()->rect();
  const int left = pane->mapTo(&view, plot.topLeft()).x();
  const QRgb ink = Theme::of(ThemeKind::light).text.rgb();
  const QRect across(left + 4, middle.y() - 1, plot.width() - 8, 3);
  selection.hover(Cursor{.layer = Planted::kLayer, .kvHead = 1, .token = 3, .step = 20});
  shown.refresh();
  EXPECT_GT(countPixels(shown.image(), ink, across), plot.width() / 2);
  // A cell of another head has no place there.
  selection.hover(Cursor{.layer = 0, .kvHead = 1, .token = 3, .step = 20});
  shown.refresh();
  EXPECT_LT(countPixels(shown.image(), ink, across), plot.width() / 4);
}

TEST_F(Persistence, RatiosDivergeAtOneAndNoiseIsNeutral) {
  for (const ThemeKind theme : {ThemeKind::light, ThemeKind::dark}) {
    PersistenceView view(&selection);
    const ShownView shown(view, slice, {1400, 900}, theme);
    const RatioPane* pane = view.ratio();
    const auto& diverging = Palette::of(theme).diverging();
    const ColorMap colors = pane->heatmap()->colors();
    EXPECT_EQ(colors.table(), diverging);
    EXPECT_DOUBLE_EQ(colors.low() * colors.high(), 1) << "as far down as up";
    EXPECT_EQ(shown.cell(pane, Planted::kStep, Planted::kToken), Theme::of(theme).violation.rgb());
    // Behind the jump its window is worth 0.9, the score 1/34.
    EXPECT_EQ(shown.cell(pane, 33, Planted::kToken), colors(1.0f / 34 / 0.9f));
    EXPECT_EQ(shown.cell(pane, 20, 3), colors(1));
    EXPECT_EQ(shown.cell(pane, 20, 15), colors(1)) << "the newest token with a window";
    EXPECT_EQ(shown.cell(pane, 20, 16), Theme::of(theme).surface.rgb());
    EXPECT_EQ(shown.cell(pane, 20, 30), Theme::of(theme).surface.rgb());
  }
}

TEST_F(Persistence, AHigherRatioMovesTheLineAndEmptiesTheTable) {
  PersistenceView view(&selection);
  ShownView shown(view, slice, {1100, 700});
  ScopeParams params;
  set_parameter(params, "violation_ratio", 30.0);
  view.show(loadSlice(plantedAnalysis(params), kPlanted));
  shown.refresh();
  EXPECT_EQ(view.violations()->model()->rowCount(), 0);
  EXPECT_NE(shown.at(view.histogram(), planted(view)), Theme::of(ThemeKind::light).violation.rgb());
  EXPECT_TRUE(view.summary().contains("0 of 1,260 pairs (0 %)")) << view.summary().toStdString();
}

TEST_F(Persistence, TheModelIsOneForEveryView) {
  ViolationModel model;
  const QAbstractItemModelTester tester(&model,
                                        QAbstractItemModelTester::FailureReportingMode::Fatal);
  EXPECT_EQ(model.rowCount(), 0);
  model.setPairs(loadPairs(slice, true, nullptr, {}));
  EXPECT_EQ(model.rowCount(), 1);
  EXPECT_EQ(model.rowOf({.layer = Planted::kLayer,
                         .kvHead = 1,
                         .token = Planted::kToken,
                         .step = Planted::kStep}),
            0);
  EXPECT_EQ(model.rowOf({.layer = 0, .kvHead = 1, .token = 7, .step = 30}), -1);
  model.setPairs(nullptr);
  EXPECT_EQ(model.rowCount(), 0);
}

TEST_F(Persistence, WhatCannotHaveChangedIsTakenOver) {
  const auto first = loadPairs(slice, false, nullptr, {});
  const auto other = loadSlice(analysis, {.layer = 0, .kvHead = 0});
  const auto again = loadPairs(slice, false, first, {});
  EXPECT_EQ(again->counts, first->counts);
  EXPECT_EQ(again->pairs, first->pairs);
  const auto whole = loadPairs(slice, true, first, {});
  EXPECT_NE(whole->counts, first->counts);
  EXPECT_EQ(whole->pairs, first->pairs);
  const auto moved = loadPairs(other, true, whole, {});
  EXPECT_EQ(moved->counts, whole->counts);
  EXPECT_NE(moved->pairs, whole->pairs);
  const auto anew = loadPairs(loadSlice(plantedAnalysis(), kPlanted), true, whole, {});
  EXPECT_NE(anew->counts, whole->counts) << "another capture";
}

TEST_F(Persistence, ThePictureStaysUntilViolationsAreKnown) {
  PersistenceView view(&selection);
  ShownView shown(view, slice, {1100, 700});
  const QImage before = shown.image();
  const auto early = analyse(
      {.capture = plantedCapture(), .params = {}, .prefix = 0, .through = Analysis::Stage::bits});
  ASSERT_EQ(early->violations, nullptr);
  view.show(loadSlice(early, kPlanted));
  EXPECT_TRUE(view.isReady());
  shown.refresh();
  EXPECT_EQ(shown.image(), before);
}

TEST(PersistenceView, WithoutAttentionItSaysWhatToDo) {
  CaptureInfo info = plantedInfo();
  const qaq::test::SyntheticShape shape{
      .n_layers = 3, .n_heads = 4, .n_kv_heads = 2, .n_tokens = 40, .head_dim = 16};
  MemoryCapture::Arrays arrays = qaq::test::synthetic_arrays(shape, 7);
  arrays.attention.clear();
  info.profile = AttentionProfile::none;
  info.query_token.clear();
  ScopeParams params;
  set_parameter(params, "use_attentions", false);
  const auto capture = std::make_shared<MemoryCapture>(info, std::move(arrays));
  SelectionModel selection;
  PersistenceView view(&selection);
  view.show(loadSlice(analyse({.capture = capture, .params = params}), {}));
  EXPECT_TRUE(view.error().contains("--attention full"));
  EXPECT_EQ(view.histogram()->message(), view.error());
  EXPECT_EQ(view.table(), std::nullopt);
}

TEST(PersistenceView, AWindowLongerThanTheCaptureIsSaid) {
  ScopeParams params;
  set_parameter(params, "violation_window", std::int64_t{100});
  SelectionModel selection;
  PersistenceView view(&selection);
  const ShownView shown(view, loadSlice(plantedAnalysis(params), {}));
  EXPECT_TRUE(view.histogram()->message().contains("100 captured rows"));
}

}  // namespace
}  // namespace qaq::views
