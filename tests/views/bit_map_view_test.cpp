// V1: every cell has the colour of its bits; what is absent or impossible has none.
#include "views/plots/bit_map_view.h"

#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

class BitMap : public testing::TestWithParam<ThemeKind> {};
INSTANTIATE_TEST_SUITE_P(Themes, BitMap, testing::Values(ThemeKind::light, ThemeKind::dark));

TEST_P(BitMap, EveryCellHasTheColourOfItsBits) {
  ScopeParams params;
  set_parameter(params, "target_quantization_error", 0.03);
  const auto analysis = plantedAnalysis(params);
  SelectionModel selection;
  BitMapView view(&selection);
  const ShownView shown(view, loadSlice(analysis, {}), {1200, 500}, GetParam());
  const CaptureInfo& info = analysis->capture->info();
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const auto& bits = analysis->cache(side).bits;
    for (int index = 0; index < 3; ++index) {
      for (int head = 0; head < Planted::kKvHeads; ++head) {
        const std::int64_t row =
            info.layers[static_cast<std::size_t>(index)] * Planted::kKvHeads + head;
        for (int token = 0; token < Planted::kTokens; ++token) {
          ASSERT_EQ(shown.cell(view.pane(side), row, token),
                    Palette::of(GetParam()).bits(bits(index, head, token)))
              << "layer index " << index << ", head " << head << ", token " << token;
        }
      }
    }
  }
}

TEST(BitMapView, LayersThatWereNotCapturedAreHatched) {
  SelectionModel selection;
  BitMapView view(&selection);
  const ShownView shown(view, loadSlice(plantedAnalysis(), {}));
  const BitPane* pane = view.pane(CacheSide::key);
  const Theme& theme = Theme::of(ThemeKind::light);
  const QRect plot = pane->axisRect()->rect();
  const double row_height = plot.height() / 8.0;
  const QRect absent(plot.left() + 2, plot.top() + static_cast<int>(4 * row_height) + 1,
                     plot.width() - 4, static_cast<int>(2 * row_height) - 2);
  const QRect in_view(pane->mapTo(&view, absent.topLeft()), absent.size());
  const int hatched = countPixels(shown.image(), theme.hatch.rgb(), in_view);
  const int blank = countPixels(shown.image(), theme.surface.rgb(), in_view);
  EXPECT_EQ(hatched + blank, absent.width() * absent.height()) << "no colour of the scale";
  EXPECT_NEAR(hatched, absent.width() * absent.height() / 7.0, absent.width());
}

TEST(BitMapView, TokensBehindThePrefixAreBlank) {
  SelectionModel selection;
  BitMapView view(&selection);
  const ShownView shown(view, loadSlice(plantedAnalysis({}, 30), {}));
  const QRgb surface = Theme::of(ThemeKind::light).surface.rgb();
  for (const int row : {0, 3, 7}) {
    EXPECT_NE(shown.cell(view.pane(CacheSide::value), row, 29), surface);
    EXPECT_EQ(shown.cell(view.pane(CacheSide::value), row, 30), surface);
  }
}

TEST(BitMapView, AnUnquantizedCacheIsExactAndTheLegendSaysSo) {
  ScopeParams params;
  set_parameter(params, "key.level", std::string("no-quantization"));
  SelectionModel selection;
  BitMapView view(&selection);
  const ShownView shown(view, loadSlice(plantedAnalysis(params), {}));
  const BitPane* pane = view.pane(CacheSide::key);
  EXPECT_EQ(shown.cell(pane, 0, 10), Palette::of(ThemeKind::light).exact());
  EXPECT_TRUE(pane->footer()->text().startsWith("exact bits: 100 %"))
      << pane->footer()->text().toStdString();
}

TEST(BitMapView, LegendSharesAreThoseOfTheResult) {
  ScopeParams params;
  set_parameter(params, "use_attentions", false);
  set_parameter(params, "n_bits_uniform", std::int64_t{3});
  const auto analysis = plantedAnalysis(params);
  SelectionModel selection;
  BitMapView view(&selection);
  view.show(loadSlice(analysis, {}));
  EXPECT_TRUE(
      view.pane(CacheSide::value)->footer()->text().startsWith("3 bits: 100 %; mean 3.00 bits"));
}

TEST(BitMapView, HoverAndClickNameTheCell) {
  const auto analysis = plantedAnalysis();
  SelectionModel selection;
  selection.reset(analysis->capture->info(), {});
  BitMapView view(&selection);
  const ShownView shown(view, loadSlice(analysis, {}));
  BitPane* pane = view.pane(CacheSide::key);
  movePointer(pane, pane->cellCentre(7, 12).toPoint());
  ASSERT_TRUE(waitFor([&] { return selection.hovered().has_value(); }));
  EXPECT_EQ(*selection.hovered(),
            (Cursor{.side = CacheSide::key, .layer = 2, .kvHead = 1, .token = 12}))
      << "row 7 is layer 3, the third that was captured";
  movePointer(pane, pane->cellCentre(4, 12).toPoint());
  EXPECT_TRUE(waitFor([&] { return !selection.hovered(); })) << "layer 2 was not captured";
  QTest::mouseClick(pane, Qt::LeftButton, {}, pane->cellCentre(2, 5).toPoint());
  ASSERT_TRUE(selection.locked());
  EXPECT_EQ(*selection.locked(),
            (Cursor{.side = CacheSide::key, .layer = 1, .kvHead = 0, .token = 5}));
  EXPECT_EQ(selection.slice().layer, 1);
  QTest::keyClick(pane, Qt::Key_Right);
  EXPECT_EQ(selection.locked()->token, 6);
  QTest::keyClick(pane, Qt::Key_Up);
  EXPECT_EQ(selection.locked()->layer, 0);
}

TEST(BitMapView, TheLockedCellHasABoxInBothCaches) {
  const auto analysis = plantedAnalysis();
  SelectionModel selection;
  selection.reset(analysis->capture->info(), {});
  selection.lock({.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 20});
  BitMapView view(&selection);
  const ShownView shown(view, loadSlice(analysis, selection.slice()));
  const QRgb accent = Theme::of(ThemeKind::light).accent.rgb();
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const BitPane* pane = view.pane(side);
    const QPoint centre = pane->mapTo(&view, pane->cellCentre(3, 20).toPoint());
    EXPECT_GE(countPixels(shown.image(), accent, QRect(centre - QPoint(14, 24), QSize(28, 48))),
              60);
  }
}

}  // namespace
}  // namespace qaq::views
