// Docks by the window's size.
#include "views/shell/dock_layout.h"

#include <QDockWidget>
#include <QLabel>
#include <QMainWindow>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

class Docks : public testing::Test {
 protected:
  Docks() : docks(&window) {
    window.setCentralWidget(new QWidget);
    using Place = DockLayout::Place;
    docks.add(Place::left, "runs", "Runs", new QWidget);
    docks.add(Place::rightMain, "parameters", "Parameters", new QWidget);
    docks.add(Place::right, "inspector", "Inspector", new QWidget);
    docks.add(Place::right, "table", "Table", new QWidget);
    docks.add(Place::bottom, "tokens", "Tokens", new QWidget);
  }
  void showAt(int width, int height) {
    window.resize(width, height);
    window.show();
    docks.reset();
    QApplication::processEvents();
  }
  bool tabbed(const QString& a, const QString& b) {
    return window.tabifiedDockWidgets(docks.dock(a)).contains(docks.dock(b));
  }

  QMainWindow window;
  DockLayout docks;
};

TEST_F(Docks, StandAboveEachOtherWhereThereIsRoom) {
  showAt(1600, 1000);
  EXPECT_TRUE(docks.dock("runs")->isVisible());
  EXPECT_FALSE(tabbed("parameters", "inspector"));
  EXPECT_TRUE(tabbed("inspector", "table"));
  EXPECT_NEAR(docks.dock("parameters")->width(), 336, 4);
  EXPECT_GT(docks.dock("inspector")->y(), docks.dock("parameters")->y());
  EXPECT_LE(docks.dock("tokens")->geometry().right(), docks.dock("parameters")->x())
      << "the right column takes the whole height";
}

TEST_F(Docks, LieInTabsWhereHeightIsDear) {
  showAt(1280, 800);
  EXPECT_FALSE(docks.dock("runs")->isVisible()) << "one key away";
  EXPECT_TRUE(tabbed("parameters", "inspector"));
  EXPECT_TRUE(docks.dock("parameters")->isVisible());
  EXPECT_EQ(qobject_cast<QLabel*>(docks.dock("parameters")->titleBarWidget()), nullptr)
      << "the tab carries the name";
  window.resize(1600, 1000);
  docks.resized();
  QApplication::processEvents();
  EXPECT_FALSE(tabbed("parameters", "inspector"));
  EXPECT_NE(qobject_cast<QLabel*>(docks.dock("parameters")->titleBarWidget()), nullptr);
}

TEST_F(Docks, AreKeptAndBroughtBackAndABrokenLayoutIsTheBuiltInOne) {
  showAt(1600, 1000);
  docks.dock("tokens")->hide();
  const QByteArray kept = docks.save();
  docks.reset();
  EXPECT_TRUE(docks.dock("tokens")->isVisible());
  EXPECT_TRUE(docks.restore(kept));
  EXPECT_FALSE(docks.dock("tokens")->isVisible());
  EXPECT_FALSE(docks.restore("no layout"));
  EXPECT_TRUE(docks.dock("tokens")->isVisible());
}

TEST_F(Docks, ThatHandsArrangedStayWhereTheyAre) {
  showAt(1600, 1000);
  ASSERT_TRUE(docks.restore(docks.save()));
  window.resize(1280, 800);
  docks.resized();
  QApplication::processEvents();
  EXPECT_FALSE(tabbed("parameters", "inspector"));
}

TEST_F(Docks, BehindOthersAreBroughtUp) {
  showAt(1600, 1000);
  docks.bringUp("table");
  QApplication::processEvents();
  EXPECT_FALSE(docks.dock("table")->visibleRegion().isEmpty());
  EXPECT_TRUE(docks.dock("inspector")->visibleRegion().isEmpty());
}

}  // namespace
}  // namespace qaq::views
