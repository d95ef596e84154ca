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

}  // namespace
}  // namespace qaq::views
