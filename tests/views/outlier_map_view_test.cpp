// V2: values on a logarithmic scale; those kept exactly are marked and never lost.
#include "views/plots/outlier_map_view.h"

#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

// A slice with one mark, on a map as large as a long capture's.
SharedSlice sliceWithOneOutlier(std::int32_t channel, std::int32_t token) {
  SliceMaps slice = *loadSlice(plantedAnalysis(), {});
  slice.magnitude = std::make_shared<const Heatmap>(NdArray<float, 2>({128, 6000}, 0.5f));
  slice.outliers = {{channel, token}};
  return std::make_shared<const SliceMaps>(std::move(slice));
}

TEST(OutlierMapView, ALoneMarkIsThreePixelsOfWhiteInADarkRimAtEverySize) {
  const auto slice = sliceWithOneOutlier(77, 4321);
  for (const QSize size : {QSize(260, 220), QSize(640, 480), QSize(1500, 900)}) {
    SelectionModel selection;
    OutlierMapView view(&selection);
    const ShownView shown(view, slice, size);
    const MapPane* pane = view.panes().first();
    const QPointF centre = pane->cellCentre(77, 4321);
    const QPoint at =
        pane->mapTo(&view, QPoint(static_cast<int>(centre.x()), static_cast<int>(centre.y())));
    const QRgb rim = qRgb(0x14, 0x18, 0x1D);
    EXPECT_EQ(
        countPixels(shown.image(), qRgb(255, 255, 255), QRect(at - QPoint(1, 1), QSize(3, 3))), 9);
    EXPECT_EQ(countPixels(shown.image(), rim, QRect(at - QPoint(2, 2), QSize(5, 5))), 16);
  }
}

TEST(OutlierMapView, MarksAreThoseOfTheReplay) {
  const auto analysis = plantedAnalysis();
  const Slice where{.side = CacheSide::key, .layer = 2, .kvHead = 1};
  const auto slice = loadSlice(analysis, where);
  const auto& packed = analysis->replay->key.outliers;
  std::size_t kept = 0;
  for (int token = 0; token < Planted::kTokens; ++token) {
    for (int channel = 0; channel < Planted::kHeadDim; ++channel) {
      kept += (packed(2, 1, token, channel / 8) >> (7 - channel % 8)) & 1;
    }
  }
  EXPECT_EQ(slice->outliers.size(), kept);
  EXPECT_GE(kept, static_cast<std::size_t>(2 * Planted::kTokens))
      << "one at each end of every unit";
  SelectionModel selection;
  OutlierMapView view(&selection);
  const ShownView shown(view, slice, {1200, 700});
  for (const SliceMaps::Cell& cell : slice->outliers) {
    EXPECT_EQ(shown.cell(view.panes().first(), cell.row, cell.column), qRgb(255, 255, 255));
  }
}

TEST(OutlierMapView, ACellHasTheColourOfItsSize) {
  const auto slice = loadSlice(plantedAnalysis(), {});
  SelectionModel selection;
  OutlierMapView view(&selection);
  const ShownView shown(view, slice, {1200, 700});
  const MapPane* pane = view.panes().first();
  const ColorMap& colors = pane->heatmap()->colors();
  int looked_at = 0;
  for (int channel = 0; channel < Planted::kHeadDim; ++channel) {
    for (int token = 0; token < Planted::kTokens; ++token) {
      const bool marked = std::any_of(
          slice->outliers.begin(), slice->outliers.end(),
          [&](const auto& cell) { return cell.row == channel && cell.column == token; });
      if (marked) continue;
      ++looked_at;
      const QPointF below_number = pane->cellCentre(channel, token) + QPointF(0, 12);
      ASSERT_EQ(shown.at(pane, below_number), colors(slice->magnitude->at(channel, token)));
    }
  }
  EXPECT_GT(looked_at, 400);
}

TEST(OutlierMapView, TheTitleNamesCacheLayerAndHead) {
  SelectionModel selection;
  OutlierMapView view(&selection);
  view.show(loadSlice(plantedAnalysis(), {.side = CacheSide::key, .layer = 2, .kvHead = 1}));
  EXPECT_EQ(view.panes().first()->header()->text(),
            "Outliers, K · layer 3 · KV head 1 · |value| · max");
}

}  // namespace
}  // namespace qaq::views
