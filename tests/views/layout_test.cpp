// Pages and layouts of one's own, runs that come back, presentation.
#include <QDockWidget>
#include <QFile>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/views/views_fixture.h"
#include "views/panels/runs_panel.h"
#include "views/plots/run_label.h"
#include "views/shell/dock_layout.h"
#include "views/shell/layout_store.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/status_line.h"
#include "views/shell/window_commands.h"

namespace qaq::views {
namespace {

class Layouts : public testing::Test {
 protected:
  Layouts() : window([](const std::string&, const Work&) { return test::plantedCapture(); }) {
    window.resize(1600, 1000);
    window.show();
    window.workspace().open("planted.h5");
    settle();
  }
  void settle() {
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(test::waitFor([this] {
        QApplication::processEvents();
        return window.isSettled();
      }));
    }
  }
  void run(const QString& line) {
    window.commands().registry().triggerLine(line);
    settle();
  }
  PageStack& pages() { return *window.page(); }

  qaq::test::TemporaryFolder folder;
  MainWindow window;
};

TEST_F(Layouts, APageOfOnesOwnShowsItsViewsAndCloses) {
  const int before = pages().count();
  run("page-add \"bits outliers,attention\"");
  ASSERT_EQ(pages().count(), before + 1);
  EXPECT_EQ(pages().currentIndex(), before);
  EXPECT_EQ(pages().current()->pageLayout().rows,
            (QList<QStringList>{{"bits"}, {"outliers", "attention"}}));
  EXPECT_NE(pages().current()->panes().first()->heatmap()->map(), nullptr);
  run("page-close");
  EXPECT_EQ(pages().count(), before);
  EXPECT_THROW(run("page-add bitz"), Error);
}

TEST_F(Layouts, OfANameComeBackWithTheirPagesAndDocksAlsoAfterTheWindow) {
  const QString path = QString::fromStdString(folder.file("config/layouts.json"));
  window.useLayouts(path);
  EXPECT_THROW(run("layout mine"), Error) << "there is none yet";
  run("page-add errors");
  window.docks()->dock("runs")->hide();
  run("layout-save mine");
  const int pagesThen = pages().count();
  run("layout-reset");
  EXPECT_EQ(pages().count(), pagesThen - 1);
  EXPECT_TRUE(window.docks()->dock("runs")->isVisible());
  run("layout mine");
  EXPECT_EQ(pages().count(), pagesThen);
  EXPECT_FALSE(window.docks()->dock("runs")->isVisible());

  LayoutStore again(path);
  again.load();
  EXPECT_EQ(again.names(), QStringList{"mine"});
  EXPECT_EQ(again.layout("mine").pages.size(), pagesThen);
  EXPECT_EQ(again.layout("mine").docks, window.layouts().layout("mine").docks);
}

TEST_F(Layouts, ABrokenFileIsToldAndLeftAlone) {
  const QString path = QString::fromStdString(folder.file("layouts.json"));
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write("{\"format\": ");
  file.close();
  window.useLayouts(path);
  EXPECT_TRUE(window.status()->errorText().contains("layouts.json"));
  EXPECT_TRUE(window.layouts().names().isEmpty());
}

TEST_F(Layouts, APresentationIsThePageAloneAndEndsAsItBegan) {
  run("present");
  EXPECT_TRUE(window.isPresenting());
  for (const QDockWidget* dock : window.docks()->docks()) EXPECT_FALSE(dock->isVisible());
  EXPECT_TRUE(pages().current()->isVisible());
  run("present");
  EXPECT_FALSE(window.isPresenting());
  EXPECT_TRUE(window.docks()->dock("parameters")->isVisible());
}

TEST_F(Layouts, ARunThatWasTakenOffComesBackByUndo) {
  run("target_quantization_error = 0.03");
  ASSERT_EQ(window.runs().runs().size(), 2u);
  window.takeUpRun(0);
  settle();
  EXPECT_EQ(window.workspace().params().qaq.key.target_quantization_error, 1);
  run("undo");
  EXPECT_EQ(window.workspace().params().qaq.key.target_quantization_error, 0.03);
  EXPECT_EQ(window.runs().current(), 1);
  auto* panel = window.findChild<RunsPanel*>();
  ASSERT_NE(panel, nullptr);
  emit panel->renameRequested(1, "tight");
  emit panel->removeRequested(1);
  EXPECT_EQ(window.runs().runs().size(), 1u);
  run("undo");
  ASSERT_EQ(window.runs().runs().size(), 2u);
  EXPECT_EQ(runLabel(window.runs().runs()[1].summary), "tight");
  run("undo");
  EXPECT_EQ(runLabel(window.runs().runs()[1].summary), "target 0.03");
}

}  // namespace
}  // namespace qaq::views
