// The one selection that all views share.
#include "views/models/selection_model.h"

#include <QSignalSpy>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

class Selection : public testing::Test {
 protected:
  Selection() {
    selection.reset(test::plantedInfo(), {.layer = 1, .kvHead = 1});
    for (QSignalSpy* spy : {&slices, &hovers, &locks}) spy->clear();
  }

  SelectionModel selection;
  QSignalSpy slices{&selection, &SelectionModel::sliceChanged};
  QSignalSpy hovers{&selection, &SelectionModel::hoverChanged};
  QSignalSpy locks{&selection, &SelectionModel::lockChanged};
};

TEST_F(Selection, HoverComesAndGoesAndTheLockStays) {
  selection.lock({.layer = 1, .kvHead = 1, .token = 4});
  EXPECT_EQ(selection.current()->token, 4);
  selection.hover(Cursor{.layer = 0, .kvHead = 0, .token = 9});
  EXPECT_EQ(selection.current()->token, 9);
  EXPECT_EQ(selection.slice().layer, 1) << "the pointer moves no slice";
  selection.hover(std::nullopt);
  EXPECT_EQ(selection.current()->token, 4);
  selection.unlock();
  EXPECT_FALSE(selection.current());
  EXPECT_EQ(hovers.count(), 2);
  EXPECT_EQ(locks.count(), 2);
  EXPECT_EQ(slices.count(), 0);
}

TEST_F(Selection, ALockTakesTheSliceAlongAndASliceTakesTheLock) {
  selection.lock({.side = CacheSide::key, .layer = 2, .kvHead = 0, .token = 4});
  EXPECT_EQ(selection.slice(), (Slice{.side = CacheSide::key, .layer = 2, .kvHead = 0}));
  EXPECT_EQ(slices.count(), 1);
  selection.stepLayer(-1);
  EXPECT_EQ(selection.locked()->layer, 1);
  selection.setSide(CacheSide::value);
  EXPECT_EQ(selection.locked()->side, CacheSide::value);
  EXPECT_EQ(selection.locked()->token, 4);
}

TEST_F(Selection, StepsStopAtTheEnds) {
  for (int i = 0; i < 9; ++i) selection.stepLayer(1);
  EXPECT_EQ(selection.slice().layer, 2);
  for (int i = 0; i < 9; ++i) selection.stepHead(-1);
  EXPECT_EQ(selection.slice().kvHead, 0);
  const qsizetype sent = slices.count();
  selection.stepHead(-1);
  EXPECT_EQ(slices.count(), sent) << "no change, no signal";
}

TEST_F(Selection, AQueryHeadBelongsToItsKvHead) {
  selection.setSlice({.layer = 1, .kvHead = 1, .queryHead = 3});
  EXPECT_EQ(selection.slice().queryHead, 3);
  selection.stepHead(-1);
  EXPECT_EQ(selection.slice().queryHead, Slice::kGroup) << "head 3 does not read KV head 0";
}

TEST_F(Selection, CoordinatesAreKeptInsideTheCapture) {
  selection.lock({.layer = 99, .kvHead = 99, .token = 999, .step = 999});
  EXPECT_EQ(*selection.locked(),
            (Cursor{.layer = 2, .kvHead = 1, .token = 39, .step = Cursor::kNone}));
}

TEST_F(Selection, AnotherCaptureStartsAnew) {
  selection.lock({.token = 4});
  selection.reset(test::plantedInfo(), {});
  EXPECT_FALSE(selection.locked());
  EXPECT_FALSE(selection.hovered());
}

using Ranges = std::vector<TokenRange>;

TEST_F(Selection, AClickLocksAndSelectsItsToken) {
  QSignalSpy sets(&selection, &SelectionModel::selectionChanged);
  selection.click({.layer = 1, .kvHead = 0, .token = 4}, Qt::NoModifier);
  EXPECT_EQ(selection.locked()->token, 4);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{4, 4}}));
  EXPECT_TRUE(selection.selected().is_of_tokens()) << "in every layer and head";
  selection.click({.token = 9}, Qt::NoModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{9, 9}})) << "replaced";
  EXPECT_EQ(sets.count(), 2);
}

TEST_F(Selection, ModifiersExtendToggleAndTakeOut) {
  selection.click({.token = 4}, Qt::NoModifier);
  selection.click({.token = 8}, Qt::ShiftModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{4, 8}}));
  EXPECT_EQ(selection.locked()->token, 4) << "modifiers move no lock";
  selection.click({.token = 2}, Qt::ShiftModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{2, 4}})) << "from where it began";
  selection.click({.token = 3}, Qt::ControlModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{2, 2}, {4, 4}}));
  selection.click({.token = 3}, Qt::ControlModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{2, 4}}));
  selection.click({.token = 2}, Qt::AltModifier);
  selection.click({.token = 2}, Qt::AltModifier);
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{3, 4}}));
}

TEST_F(Selection, ModesAreWhatAGestureDoes) {
  const auto tokens = [&](int first, int last) {
    return SelectionSet::of_tokens(selection.shape(), Ranges{{first, last}});
  };
  std::vector<SelectionSet> made;
  QObject::connect(&selection, &SelectionModel::made,
                   [&](const SelectionSet& cells) { made.push_back(cells); });
  selection.drag(tokens(0, 9), Qt::NoModifier);
  selection.setMode(SelectMode::intersect);
  selection.drag(tokens(5, 20), Qt::NoModifier);
  EXPECT_EQ(selection.selected(), tokens(5, 9));
  selection.setMode(SelectMode::add);
  selection.drag(tokens(10, 12), Qt::NoModifier);
  EXPECT_EQ(selection.selected(), tokens(5, 12));
  selection.setMode(SelectMode::remove);
  selection.drag(tokens(0, 6), Qt::NoModifier);
  EXPECT_EQ(selection.selected(), tokens(7, 12));
  selection.drag(tokens(13, 14), Qt::ShiftModifier);
  EXPECT_EQ(selection.selected(), tokens(7, 14)) << "a modifier is stronger than the mode";
  EXPECT_TRUE(made.empty());
  selection.setMode(SelectMode::make);
  selection.drag(tokens(1, 2), Qt::NoModifier);
  EXPECT_EQ(selection.selected(), tokens(1, 2));
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0], tokens(1, 2));
}

TEST_F(Selection, TheKeyboardExtendsFromWhereItStood) {
  selection.lock({.token = 5});
  selection.extendTo({.token = 6});
  selection.extendTo({.token = 7});
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{5, 7}}));
  EXPECT_EQ(selection.locked()->token, 7);
}

TEST_F(Selection, APinStaysWhereItWasPut) {
  QSignalSpy pins(&selection, &SelectionModel::pinChanged);
  selection.pin();
  EXPECT_FALSE(selection.pinned()) << "nothing is locked";
  selection.lock({.layer = 1, .token = 5});
  selection.pin();
  selection.lock({.layer = 2, .token = 9});
  selection.stepLayer(-1);
  EXPECT_EQ(selection.pinned(), (Cursor{.layer = 1, .token = 5}));
  selection.unpin();
  EXPECT_FALSE(selection.pinned());
  EXPECT_EQ(pins.count(), 2);
}

TEST_F(Selection, FiltersStandOneInsideTheOther) {
  const auto tokens = [&](int first, int last) {
    return SelectionSet::of_tokens(selection.shape(), Ranges{{first, last}});
  };
  selection.pushFilter();
  EXPECT_EQ(selection.filter(), nullptr) << "nothing is selected";
  selection.select(tokens(3, 12));
  selection.pushFilter();
  selection.select(tokens(10, 20));
  selection.pushFilter();
  ASSERT_EQ(selection.filters().size(), 2u);
  EXPECT_EQ(*selection.filter(), tokens(10, 12));
  selection.select(tokens(30, 31));
  selection.pushFilter();
  EXPECT_EQ(selection.filters().size(), 2u) << "nothing would be left";
  selection.popFilter();
  EXPECT_EQ(*selection.filter(), tokens(3, 12));
  EXPECT_EQ(selection.selected(), tokens(30, 31)) << "a filter selects nothing";
  selection.clearFilters();
  EXPECT_EQ(selection.filter(), nullptr);
}

TEST_F(Selection, AnotherCaptureHasItsOwnSets) {
  selection.click({.token = 4}, Qt::NoModifier);
  selection.pin();
  selection.pushFilter();
  const SelectionSet before = selection.selected();
  const auto small = test::smallCapture();
  selection.reset(small->info(), {});
  EXPECT_TRUE(selection.selected().empty());
  EXPECT_FALSE(selection.pinned());
  EXPECT_EQ(selection.filter(), nullptr);
  selection.select(before);
  EXPECT_TRUE(selection.selected().empty()) << "cells of another capture mean nothing";
}

}  // namespace
}  // namespace qaq::views
