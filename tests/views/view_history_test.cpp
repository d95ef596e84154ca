// Back and forward, without a window.
#include "views/models/view_history.h"

#include <gtest/gtest.h>

namespace qaq::views {
namespace {

TEST(ViewHistory, GoesBackAndForward) {
  ViewHistory<int> history;
  EXPECT_FALSE(history.here());
  EXPECT_FALSE(history.back());
  EXPECT_FALSE(history.forward());
  for (const int place : {1, 2, 3}) history.record(place);
  EXPECT_FALSE(history.canGoForward());
  EXPECT_EQ(history.back(), 2);
  EXPECT_EQ(history.back(), 1);
  EXPECT_FALSE(history.canGoBack());
  EXPECT_FALSE(history.back()) << "nothing lies before the first";
  EXPECT_EQ(history.here(), 1);
  EXPECT_EQ(history.forward(), 2);
  EXPECT_EQ(history.forward(), 3);
  EXPECT_FALSE(history.forward());
}

TEST(ViewHistory, TheSamePlaceAgainIsNoPlace) {
  ViewHistory<int> history;
  history.record(1);
  history.record(1);
  EXPECT_EQ(history.size(), 1u);
  history.record(2);
  history.back();
  history.record(1);
  EXPECT_TRUE(history.canGoForward()) << "staying forgets nothing";
}

TEST(ViewHistory, GoingElsewhereForgetsWhatLayAhead) {
  ViewHistory<int> history;
  for (const int place : {1, 2, 3}) history.record(place);
  history.back();
  history.back();
  history.record(4);
  EXPECT_FALSE(history.canGoForward());
  EXPECT_EQ(history.size(), 2u);
  EXPECT_EQ(history.back(), 1);
}

TEST(ViewHistory, ForgetsTheOldestWhenItIsFull) {
  ViewHistory<int> history(3);
  for (const int place : {1, 2, 3, 4}) history.record(place);
  EXPECT_EQ(history.size(), 3u);
  EXPECT_EQ(history.here(), 4);
  history.back();
  EXPECT_EQ(history.back(), 2);
  EXPECT_FALSE(history.canGoBack());
  history.clear();
  EXPECT_FALSE(history.here());
}

}  // namespace
}  // namespace qaq::views
