// Sets of cells over maps: boxes that select, marks and veils, and the pinned cell.
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"
#include "views/plots/attention_map_view.h"
#include "views/plots/bit_map_view.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using Ranges = std::vector<TokenRange>;

class MapSelection : public testing::Test {
 protected:
  MapSelection() {
    selection.reset(analysis->capture->info(), {.layer = 1, .kvHead = 1});
    view = std::make_unique<BitMapView>(&selection);
    shown = std::make_unique<ShownView>(*view, loadSlice(analysis, selection.slice()));
  }
  void drag(MapPane* pane, std::pair<int, int> from, std::pair<int, int> to,
            Qt::KeyboardModifiers modifiers) {
    const QPoint a = pane->cellCentre(from.first, from.second).toPoint();
    const QPoint b = pane->cellCentre(to.first, to.second).toPoint();
    QTest::mousePress(pane, Qt::LeftButton, modifiers, a);
    QMouseEvent move(QEvent::MouseMove, b, pane->mapToGlobal(b), Qt::NoButton, Qt::LeftButton,
                     modifiers);
    QApplication::sendEvent(pane, &move);
    QTest::mouseRelease(pane, Qt::LeftButton, modifiers, b);
  }

  SharedAnalysis analysis = plantedAnalysis();
  SelectionModel selection;
  std::unique_ptr<BitMapView> view;
  std::unique_ptr<ShownView> shown;
};

TEST_F(MapSelection, ABoxSelectsItsTokensLayersAndHeads) {
  MapPane* pane = view->pane(CacheSide::key);
  const QCPRange before = pane->xAxis->range();
  // Rows 1 to 3: head 1 of layer 0, both heads of layer 1.
  drag(pane, {1, 10}, {3, 14}, Qt::ShiftModifier);
  const auto wanted = SelectionSet::of_boxes(selection.shape(), {{{10, 14}, 1, 3}});
  EXPECT_EQ(selection.selected(), wanted);
  EXPECT_EQ(pane->xAxis->range(), before) << "the map stays";
  EXPECT_FALSE(selection.locked());
  drag(pane, {3, 12}, {3, 30}, Qt::AltModifier);
  EXPECT_FALSE(selection.selected().contains(1, 1, 13));
  EXPECT_TRUE(selection.selected().contains(1, 0, 13));
}

TEST_F(MapSelection, RowsOfLayersThatWereNotCapturedAreLeftOut) {
  // Rows 4 and 5 are of layer 2, 6 and 7 of layer 3, the third captured one.
  drag(view->pane(CacheSide::value), {4, 3}, {6, 5}, Qt::ControlModifier);
  EXPECT_EQ(selection.selected(), SelectionSet::of_boxes(selection.shape(), {{{3, 5}, 4, 4}}));
}

TEST_F(MapSelection, WithoutModifierOrToolDraggingMovesTheMap) {
  MapPane* pane = view->pane(CacheSide::key);
  pane->xAxis->setRange(5, 20);
  drag(pane, {1, 10}, {1, 14}, Qt::NoModifier);
  EXPECT_TRUE(selection.selected().empty());
  pane->resetZoom();
  selection.setBoxTool(true);
  drag(pane, {0, 10}, {7, 14}, Qt::NoModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{10, 14}}));
}

TEST_F(MapSelection, ABoxOverStepsSelectsTokens) {
  AttentionMapView attention(&selection);
  const ShownView on(attention, loadSlice(analysis, selection.slice()), {700, 500});
  drag(attention.panes().first(), {20, 3}, {30, 8}, Qt::ShiftModifier);
  EXPECT_EQ(selection.selected(), SelectionSet::of_tokens(selection.shape(), Ranges{{3, 8}}));
}

TEST_F(MapSelection, SelectedTokensHaveBarsThatCoverNoMiddle) {
  selection.select(SelectionSet::of_tokens(selection.shape(), Ranges{{10, 14}}));
  shown->refresh();
  const QRgb accent = Theme::of(ThemeKind::light).accent.rgb();
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    MapPane* pane = view->pane(side);
    const QRect plot = pane->axisRect()->rect();
    const auto edge = [&](int token) {
      return shown->at(pane, QPointF(pane->cellCentre(0, token).x(), plot.top() + 1));
    };
    EXPECT_EQ(edge(12), accent);
    EXPECT_NE(edge(20), accent);
    const ColorMap& colors = pane->heatmap()->colors();
    EXPECT_EQ(shown->cell(pane, 1, 12), colors(analysis->side(side).bits->at(1, 12)));
  }
}

TEST_F(MapSelection, PartsOfLayersAreFramed) {
  selection.select(SelectionSet::of_boxes(selection.shape(), {{{10, 14}, 4, 5}}));
  const auto blocks = view->pane(CacheSide::key)->selectionMarks()->selected();
  EXPECT_EQ(blocks, (std::vector<CellBlock>{{10, 14, 6, 7}})) << "the rows of layer 3";
  // In a map of one head there is what is selected of that head.
  AttentionMapView attention(&selection);
  attention.show(loadSlice(analysis, selection.slice()));
  EXPECT_TRUE(attention.panes().first()->selectionMarks()->selected().empty());
}

TEST_F(MapSelection, AFilterVeilsTheRest) {
  MapPane* pane = view->pane(CacheSide::key);
  const QRgb before = shown->cell(pane, 1, 30);
  selection.select(SelectionSet::of_tokens(selection.shape(), Ranges{{10, 14}}));
  selection.pushFilter();
  shown->refresh();
  const ColorMap& colors = pane->heatmap()->colors();
  EXPECT_EQ(shown->cell(pane, 1, 12), colors(analysis->key.bits->at(1, 12)));
  const QColor veiled(shown->cell(pane, 1, 30)), surface = Theme::of(ThemeKind::light).surface;
  EXPECT_NE(veiled.rgb(), before);
  EXPECT_LT(std::abs(veiled.lightness() - surface.lightness()), 45) << "recedes";
  EXPECT_NE(veiled.rgb(), surface.rgb()) << "but can still be told";
  selection.clearFilters();
  shown->refresh();
  EXPECT_EQ(shown->cell(pane, 1, 30), before);
}

TEST_F(MapSelection, TheLockedTokenAloneIsMarkedOnce) {
  MapPane* pane = view->pane(CacheSide::key);
  QTest::mouseClick(pane, Qt::LeftButton, {}, pane->cellCentre(1, 12).toPoint());
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{12, 12}}));
  EXPECT_TRUE(pane->selectionMarks()->selected().empty());
  QTest::keyClick(pane, Qt::Key_Right);
  EXPECT_EQ(pane->selectionMarks()->selected(), (std::vector<CellBlock>{{12, 12}}))
      << "the lock has gone on";
  QTest::keyClick(pane, Qt::Key_Right, Qt::ShiftModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{12, 14}}));
}

TEST_F(MapSelection, ThePinIsADiamondAndNoBox) {
  MapPane* pane = view->pane(CacheSide::value);
  selection.lock({.side = CacheSide::value, .layer = 1, .kvHead = 0, .token = 20});
  selection.pin();
  selection.unlock();
  shown->refresh();
  const QRgb accent = Theme::of(ThemeKind::light).accent.rgb();
  const QPointF centre = pane->cellCentre(2, 20);
  const QRect around(pane->mapTo(view.get(), centre.toPoint()) - QPoint(9, 9), QSize(18, 18));
  const int n = countPixels(shown->image(), accent, around);
  EXPECT_GT(n, 8);
  EXPECT_EQ(
      countPixels(shown->image(), accent),
      n +
          [&] {
            const MapPane* other = view->pane(CacheSide::key);
            const QPointF at = other->cellCentre(2, 20);
            return countPixels(
                shown->image(), accent,
                QRect(other->mapTo(view.get(), at.toPoint()) - QPoint(9, 9), QSize(18, 18)));
          }())
      << "no crosshair";
  // The corners of a box would be here.
  EXPECT_NE(shown->at(pane, centre + QPointF(5, 5)), accent);
  EXPECT_NE(shown->at(pane, centre + QPointF(-5, -5)), accent);
}

}  // namespace
}  // namespace qaq::views
