// Pages and layouts of one's own, runs that come back, presentation.
#include <QDockWidget>
#include <QFile>
#include <QLabel>
#include <QMenuBar>
#include <QToolButton>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/views/views_fixture.h"
#include "views/panels/runs_panel.h"
#include "views/panels/timeline.h"
#include "views/plots/choice_switch.h"
#include "views/plots/map_pane.h"
#include "views/plots/run_label.h"
#include "views/shell/dock_layout.h"
#include "views/shell/layout_store.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/perspectives.h"
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

/// Sizes of each kind that there are: what was set once, what a theme sets, what is painted.
QList<double> sizesOf(MainWindow& window) {
  QList<double> sizes;
  for (MapPane* pane : window.page()->current()->panes()) {
    sizes += {1.0 * pane->xAxis->tickLabelFont().pixelSize(),
              1.0 * pane->xAxis->labelFont().pixelSize(),
              pane->xAxis->tickPen().widthF(),
              1.0 * pane->axisRect()->margins().left(),
              1.0 * pane->axisRect()->margins().bottom(),
              1.0 * pane->xAxis->tickLengthOut()};
  }
  for (const QCustomPlot* plot : window.page()->current()->findChildren<QCustomPlot*>()) {
    for (int i = 0; i < plot->graphCount(); ++i) sizes += plot->graph(i)->pen().widthF();
  }
  for (const QLabel* label : window.page()->current()->findChildren<QLabel*>()) {
    sizes += QFontInfo(label->font()).pixelSize();
  }
  sizes += {1.0 * Theme::font(Theme::kTickPx).pixelSize(), px(2),
            1.0 * QFontInfo(QApplication::font()).pixelSize(),
            1.0 * window.timeline()->sizeHint().height()};
  return sizes;
}

TEST_F(Layouts, APresentationIsLargerAndEndsAsItBegan) {
  run("page-add \"bits,errors outliers,distributions\"");
  pages().setCurrentIndex(pages().count() - 1);
  settle();
  const QList<double> before = sizesOf(window);
  ASSERT_GT(before.size(), 40);
  run("present");
  const QList<double> presented = sizesOf(window);
  ASSERT_EQ(presented.size(), before.size());
  for (qsizetype i = 0; i < before.size(); ++i) {
    if (before[i] == 0) continue;  // a graph without a line
    EXPECT_NEAR(presented[i] / before[i], Theme::kPresented, 0.5 / before[i] + 0.01) << i;
  }
  run("present");
  EXPECT_EQ(sizesOf(window), before);
}

TEST_F(Layouts, AFigureIsTheSameFromAPresentation) {
  const auto figure = [this](const char* view) {
    const QString path = QString::fromStdString(folder.file("figure.png"));
    window.exportNow({.view = QLatin1String(view), .path = path, .millimetres = {160, 100}});
    QFile file(path);
    EXPECT_TRUE(file.open(QIODevice::ReadOnly));
    return file.readAll();
  };
  // On a page of its own, so that neither window is too low for all of it.
  for (const char* view : {"bits", "distributions"}) {
    run(QStringLiteral("page-add ") + QLatin1String(view));
    pages().setCurrentIndex(pages().count() - 1);
    settle();
    const QByteArray before = figure(view);
    EXPECT_GT(before.size(), 1000);
    run("present");
    EXPECT_TRUE(figure(view) == before) << view;
    EXPECT_EQ(px(1), Theme::kPresented) << "the screen stays as it was";
    run("present");
  }
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

class Perspectives : public Layouts {
 protected:
  QString inSight() { return perspectiveTitles().at(perspectiveInSight(window)); }
  bool inFront(const QString& dock) { return window.docks()->isInFront(dock); }
  QList<QToolButton*> words() {
    return window.findChild<ChoiceSwitch*>("perspectives")->findChildren<QToolButton*>();
  }
};

TEST_F(Perspectives, BringUpTheirPageAndDocksAndTakeNothingAway) {
  run("page-add \"errors memory\"");
  const QList<QStringList> own = pages().current()->pageLayout().rows;
  const int count = pages().count();
  EXPECT_EQ(inSight(), "Explore") << "a page of one's own is explored";
  run("perspective compare");
  EXPECT_NE(pages().current()->view("compare"), nullptr);
  EXPECT_TRUE(inFront("delta"));
  EXPECT_FALSE(inFront("tokens")) << "in the same tabs";
  EXPECT_EQ(inSight(), "Compare");
  run("perspective explore");
  EXPECT_NE(pages().current()->view("bits"), nullptr);
  EXPECT_TRUE(inFront("tokens"));
  EXPECT_EQ(pages().count(), count);
  EXPECT_EQ(pages().layouts().last().rows, own);
  EXPECT_THROW(run("perspective sideways"), Error);
}

TEST_F(Perspectives, MakeAClosedPageAnewAndShowAHiddenDock) {
  run("perspective compare");
  run("page-close");
  window.docks()->dock("delta")->hide();
  EXPECT_EQ(window.page()->view("compare"), nullptr);
  run("perspective compare");
  EXPECT_NE(pages().current()->view("compare"), nullptr);
  EXPECT_TRUE(inFront("delta"));
}

TEST_F(Perspectives, NameWhatTheWindowDoesNotHaveWithoutAWord) {
  showPerspective(window, {.title = "Odd", .help = {}, .page = "nowhere", .docks = {"no", "log"}});
  settle();
  EXPECT_NE(pages().current()->view("bits"), nullptr) << "the page in sight stays";
  EXPECT_TRUE(inFront("log"));
  EXPECT_TRUE(window.status()->errorText().isEmpty());
}

TEST_F(Perspectives, AreAPlaceThatBackComesBackFrom) {
  window.commands().places().settle();
  run("perspective compare");
  window.commands().places().settle();
  run("back");
  EXPECT_NE(pages().current()->view("bits"), nullptr);
  EXPECT_EQ(inSight(), "Explore");
}

TEST_F(Perspectives, StandInTheToolbarAndFollowThePage) {
  auto* words = window.findChild<ChoiceSwitch*>("perspectives");
  ASSERT_TRUE(words->isVisible());
  this->words()[1]->click();
  settle();
  EXPECT_NE(pages().current()->view("compare"), nullptr);
  pages().setCurrentIndex(0);
  EXPECT_EQ(words->chosen(), 0);
}

TEST_F(Perspectives, AreListedInTheMenuWithLayoutsOfOnesOwn) {
  const auto entries = [this] {
    QStringList texts;
    for (QMenu* menu : window.menuBar()->findChildren<QMenu*>()) {
      if (menu->title() != "&Layout") continue;
      emit menu->aboutToShow();
      for (const QAction* action : menu->actions()) {
        if (action->isVisible() && !action->isSeparator()) texts.push_back(action->text());
        if (action->isChecked()) texts.last() += "!";
      }
    }
    return texts;
  };
  EXPECT_EQ(entries(), (QStringList{"Explore!", "Compare", "Diagnose", "Teach", "Reset layout",
                                    "Save layout…"}));
  run("perspective compare");
  run("layout-save mine");
  EXPECT_EQ(entries(), (QStringList{"Explore", "Compare!", "Diagnose", "Teach", "Reset layout",
                                    "Save layout…", "mine"}));
}

}  // namespace
}  // namespace qaq::views
