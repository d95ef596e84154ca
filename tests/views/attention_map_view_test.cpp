// V3: the lower triangle of attention, with jumps of importance marked.
#include "views/plots/attention_map_view.h"

#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

const Slice kPlanted{.layer = Planted::kLayer, .kvHead = Planted::kHead / 2};

TEST(AttentionMapView, TheViewOpensWhereThePlantedJumpIs) {
  const auto analysis = plantedAnalysis();
  ASSERT_EQ(analysis->violations->violations.size(), 1u);
  EXPECT_EQ(defaultSlice(*analysis), kPlanted);
}

TEST(AttentionMapView, ThePlantedViolationIsATriangle) {
  const auto slice = loadSlice(plantedAnalysis(), kPlanted);
  for (const ThemeKind theme : {ThemeKind::light, ThemeKind::dark}) {
    for (const QSize size : {QSize(260, 220), QSize(700, 500), QSize(1400, 1000)}) {
      SelectionModel selection;
      AttentionMapView view(&selection);
      const ShownView shown(view, slice, size, theme);
      const MapPane* pane = view.panes().first();
      EXPECT_EQ(shown.cell(pane, Planted::kStep, Planted::kToken),
                Theme::of(theme).violation.rgb());
    }
  }
}

TEST(AttentionMapView, OtherHeadsHaveNoTriangle) {
  SelectionModel selection;
  AttentionMapView view(&selection);
  for (const Slice& slice : {Slice{.layer = 1, .kvHead = 0}, Slice{.layer = 0, .kvHead = 1},
                             Slice{.layer = 1, .kvHead = 1, .queryHead = 2}}) {
    const ShownView shown(view, loadSlice(plantedAnalysis(), slice), {700, 500});
    const QRect plot = view.panes().first()->axisRect()->rect();
    EXPECT_EQ(countPixels(shown.image(), Theme::of(ThemeKind::light).violation.rgb(), plot), 0);
  }
}

TEST(AttentionMapView, ManyViolationsDoNotBuryTheMap) {
  SliceMaps many = *loadSlice(plantedAnalysis(), kPlanted);
  const Violation strongest = many.violations.front();
  for (std::int32_t step = 8; step < Planted::kTokens; ++step) {
    for (std::int32_t token = 0; token < step - 5; ++token) {
      Violation weaker = strongest;
      weaker.step = step;
      weaker.token = token;
      weaker.score = 0.5f;
      many.violations.push_back(weaker);
    }
  }
  SelectionModel selection;
  AttentionMapView view(&selection);
  const ShownView shown(view, std::make_shared<const SliceMaps>(many), {900, 700});
  const MapPane* pane = view.panes().first();
  const QRgb magenta = Theme::of(ThemeKind::light).violation.rgb();
  EXPECT_EQ(shown.cell(pane, Planted::kStep, Planted::kToken), magenta) << "the strongest is there";
  const QRect plot = pane->axisRect()->rect();
  EXPECT_LT(countPixels(shown.image(), magenta, plot), 60 * 50) << "at most 60 triangles of 10 px";
  EXPECT_TRUE(pane->footer()->text().contains("strongest drawn"));
}

TEST(AttentionMapView, TheFutureIsBlankAndThePastIsNot) {
  const auto slice = loadSlice(plantedAnalysis(), {.layer = 0, .kvHead = 0});
  SelectionModel selection;
  AttentionMapView view(&selection);
  const ShownView shown(view, slice, {900, 700});
  const MapPane* pane = view.panes().first();
  const ColorMap& colors = pane->heatmap()->colors();
  const QRgb surface = Theme::of(ThemeKind::light).surface.rgb();
  for (int s = 0; s < Planted::kTokens - 6; s += 3) {  // the last rows lie in the window's box
    EXPECT_EQ(shown.cell(pane, s, s), colors(slice->attention->at(s, s))) << s;
    EXPECT_EQ(shown.cell(pane, s, s + 1), surface) << s;
  }
}

TEST(AttentionMapView, RowsThatWereNotCapturedAreHatched) {
  const auto capture = std::make_shared<MemoryCapture>(
      qaq::test::synthetic_capture({.n_tokens = 40}, 3, /*window=*/10));
  const auto analysis = analyse({.capture = capture});
  SelectionModel selection;
  AttentionMapView view(&selection);
  const ShownView shown(view, loadSlice(analysis, {}), {700, 500});
  const MapPane* pane = view.panes().first();
  const QPoint from = pane->mapTo(&view, pane->cellCentre(20, 2).toPoint());
  const QPoint to = pane->mapTo(&view, pane->cellCentre(28, 18).toPoint());
  const QRect rect(from, to);
  const Theme& theme = Theme::of(ThemeKind::light);
  EXPECT_EQ(countPixels(shown.image(), theme.hatch.rgb(), rect) +
                countPixels(shown.image(), theme.surface.rgb(), rect),
            rect.width() * rect.height());
  EXPECT_GT(countPixels(shown.image(), theme.hatch.rgb(), rect), 0);
}

TEST(AttentionMapView, AClickOnATriangleLocksItsViolationAndPutsItIntoWords) {
  const auto analysis = plantedAnalysis();
  SelectionModel selection;
  selection.reset(analysis->capture->info(), kPlanted);
  AttentionMapView view(&selection);
  const auto slice = loadSlice(analysis, kPlanted);
  const ShownView shown(view, slice, {900, 700});
  MapPane* pane = view.panes().first();
  const QPoint beside = pane->cellCentre(Planted::kStep, Planted::kToken).toPoint() + QPoint(5, 3);
  QTest::mouseClick(pane, Qt::LeftButton, {}, beside);
  ASSERT_TRUE(selection.locked());
  EXPECT_EQ(selection.locked()->step, Planted::kStep);
  EXPECT_EQ(selection.locked()->token, Planted::kToken);
  // 0.9 against a window whose largest share is that of row 25, the oldest of five.
  EXPECT_EQ(readingText(*slice, Planted::kStep, Planted::kToken),
            "step 30 reads " +
                QStringLiteral("“%1”").arg(
                    QString::fromStdString(analysis->capture->info().token_text[7])) +
                " (tok 7) with 0.900, 23.4 × its window maximum of 0.0385");
}

TEST(AttentionMapView, WithoutAttentionItSaysWhatToDo) {
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
  AttentionMapView view(&selection);
  view.show(loadSlice(analyse({.capture = capture, .params = params}), {}));
  EXPECT_TRUE(view.panes().first()->message().contains("--attention full"));
}

}  // namespace
}  // namespace qaq::views
