// What the window keeps and gives back: sessions, recovery, recent files.

#include <QDropEvent>
#include <QJsonArray>
#include <QMimeData>
#include <QPushButton>
#include <gtest/gtest.h>

#include "tests/views/session_fakes.h"
#include "views/panels/parameter_panel.h"
#include "views/shell/dock_layout.h"
#include "views/shell/main_window.h"
#include "views/shell/notice_bar.h"
#include "views/shell/page_stack.h"
#include "views/shell/session_keeper.h"
#include "views/shell/start_page.h"
#include "views/shell/status_line.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

class SessionWindow : public testing::Test {
 protected:
  SessionWindow() : window(makeWindow()) {}

  std::unique_ptr<MainWindow> makeWindow() {
    WindowServices services{.openCapture = openFake};
    services.sessions = sessions.files();
    services.recovery = recovery;
    services.recent = recent;
    auto made = std::make_unique<MainWindow>(services);
    made->setThemeChoice(MainWindow::ThemeChoice::light);
    made->resize(1280, 800);
    made->show();
    return made;
  }
  void settle() {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(waitFor([this] {
        QApplication::processEvents();
        return window->isSettled();
      }));
    }
  }
  void open(const QString& path) {
    window->openFile(path);
    settle();
  }
  void restart() {
    window.reset();
    window = makeWindow();
  }
  QPushButton* answer(const QString& text) {
    for (auto* button : window->notice()->findChildren<QPushButton*>()) {
      if (button->text() == text) return button;
    }
    return nullptr;
  }
  MapPane* pane(const char* view) { return window->page()->view(view)->panes().first(); }
  SelectionModel& selection() { return window->workspace().selection(); }

  FakeSessions sessions;
  std::shared_ptr<FakeRecovery> recovery = std::make_shared<FakeRecovery>();
  std::shared_ptr<FakeRecent> recent = std::make_shared<FakeRecent>();
  std::unique_ptr<MainWindow> window;
};

// A window that was worked in.
void work(MainWindow& window) {
  ScopeParams params;
  set_parameter(params, "key.level", std::string("layer"));
  set_parameter(params, "target_quantization_error", 0.25);
  window.setSettings(params, 30);
  window.page()->setPages({{"First", {{"bits"}}}, {"Second", {{"outliers", "attention"}}}});
}

TEST_F(SessionWindow, GivesBackWhatItWas) {
  open("/data/planted.h5");
  work(*window);
  settle();
  selection().lock({.side = CacheSide::key, .layer = 2, .kvHead = 1, .token = 5});
  pane("bits")->xAxis->setRange(9.5, 19.5);
  settle();
  const SessionState before = window->sessionState();
  EXPECT_EQ(before.capture, "/data/planted.h5");
  EXPECT_EQ(before.lock->layer, 3) << "the model's: layer 2 was not captured";
  EXPECT_EQ(before.pages.size(), 2);
  EXPECT_FALSE(before.layout.isEmpty());

  restart();
  sessions.put("/data/s.qaqsession", {.state = before});
  open("/data/s.qaqsession");
  const SessionState after = window->sessionState();
  EXPECT_EQ(after.capture, before.capture);
  EXPECT_TRUE(same_parameters(after.params, before.params));
  EXPECT_EQ(after.prefix, 30);
  EXPECT_EQ(after.slice, before.slice);
  EXPECT_EQ(after.lock, before.lock);
  EXPECT_EQ(after.pages, before.pages);
  EXPECT_EQ(after.views, before.views);
  EXPECT_EQ(pane("bits")->xAxis->range(), QCPRange(9.5, 19.5));
  EXPECT_EQ(selection().locked()->layer, 2) << "an index here";
  EXPECT_TRUE(same_parameters(window->parameters()->params(), before.params));
  EXPECT_EQ(window->workspace().shown()->analysis->replay->prefix, 30);
  EXPECT_TRUE(window->workspace().isCurrent());
  EXPECT_EQ(window->sessions()->path(), "/data/s.qaqsession");
}

TEST_F(SessionWindow, KeepsWhatWasChosenInEachViewDockedOrNot) {
  SessionState state;
  state.capture = "/data/planted.h5";
  state.pages = {{"First", {{"bits"}}},
                 {"Second", {{"errors", "persistence"}, {"distributions", "memory", "tradeoff"}}}};
  state.views = {
      {"errors", QJsonObject{{"error", "key"}}},
      {"persistence", QJsonObject{{"whole", true}}},
      {"distributions", QJsonObject{{"scope", "layer"}}},
      {"memory", QJsonObject{{"count", "nominal"}}},
      {"tradeoff", QJsonObject{{"count", "nominal"}, {"loss", "output_error"}}},
      {"tokens", QJsonObject{{"granularity", "word"}, {"all_heads", true}}},
      {"table", QJsonObject{{"of", "memory"}, {"sort", 2}, {"descending", true}}},
  };
  for (const int page : {0, 1}) {
    state.page = page;
    window->applySession(state);
    settle();
    EXPECT_EQ(window->sessionState().views, state.views) << "page " << page;
  }
  // The next session begins with nothing of this one.
  state.views = {};
  window->applySession(state);
  settle();
  EXPECT_EQ(window->sessionState().views, QJsonObject{});
}

TEST_F(SessionWindow, WhatAViewDoesNotKnowOfItsStateIsIgnored) {
  SessionState state;
  state.capture = "/data/planted.h5";
  state.pages = {{"First", {{"errors", "memory"}}}};
  state.views = {{"errors", QJsonObject{{"error", "joy"}}},
                 {"memory", QJsonObject{{"count", 3}}},
                 {"tokens", QJsonObject{{"granularity", QJsonArray{1}}}},
                 {"table", QJsonObject{{"of", "table"}, {"sort", 999}}}};
  window->applySession(state);
  settle();
  const QJsonObject views = window->sessionState().views;
  EXPECT_FALSE(views.contains("errors"));
  EXPECT_FALSE(views.contains("memory"));
  EXPECT_FALSE(views.contains("tokens"));
  EXPECT_TRUE(window->status()->errorText().isEmpty());
}

// Maps that are computed after they are asked for, too.
TEST_F(SessionWindow, ZoomsAMapThatComesLate) {
  SessionState state;
  state.capture = "/data/planted.h5";
  state.pages = {{"First", {{"errors"}}}};
  state.views = {{"errors", QJsonObject{{"ranges", QJsonArray{QJsonArray{-0.5, 7.5, 4.5, 24.5}}}}}};
  window->applySession(state);
  settle();
  EXPECT_EQ(pane("errors")->yAxis->range(), QCPRange(4.5, 24.5));
}

TEST_F(SessionWindow, KeepsTheRangesOfAPageThatIsNotInSightUntilItIs) {
  SessionState state;
  state.capture = "/data/planted.h5";
  state.pages = {{"First", {{"bits"}}}, {"Second", {{"attention"}}}};
  state.views = {
      {"attention", QJsonObject{{"ranges", QJsonArray{QJsonArray{4.5, 24.5, 9.5, 29.5}}}}}};
  window->applySession(state);
  settle();
  EXPECT_EQ(window->page()->currentIndex(), 0);
  EXPECT_EQ(window->sessionState().views, state.views) << "not lost while nobody looked";
  window->page()->setCurrentIndex(1);
  settle();
  EXPECT_EQ(pane("attention")->xAxis->range(), QCPRange(4.5, 24.5));
  EXPECT_EQ(pane("attention")->yAxis->range(), QCPRange(9.5, 29.5));
  ASSERT_TRUE(takeKeyboard(*window));
  QTest::keyClick(pane("attention"), Qt::Key_0);
  EXPECT_FALSE(window->sessionState().views.contains("attention")) << "a whole map needs no range";
}

TEST_F(SessionWindow, TakesWhatItKnowsOfAStrangeSession) {
  SessionState state;
  state.capture = "/data/planted.h5";
  state.pages = {{"Later", {{"a_later_view"}}}, {"Mixed", {{"a_later_view", "bits"}, {}}}};
  state.page = 99;
  state.slice = Slice{.layer = 2, .kvHead = 1};  // was not captured
  state.lock = Cursor{.layer = 77, .token = 3};
  state.layout = "no layout";
  state.views = {{"bits", QJsonObject{{"ranges", QJsonArray{"x", QJsonArray{5, 1}}}}},
                 {"a_later_view", 3}};
  window->applySession(state);
  settle();
  ASSERT_EQ(window->page()->count(), 1);
  EXPECT_EQ(window->page()->layouts()[0].rows, QList<QStringList>{{"bits"}});
  EXPECT_FALSE(selection().locked());
  EXPECT_NE(pane("bits")->heatmap()->map(), nullptr);
  EXPECT_EQ(window->sessionState().views.value("a_later_view"), 3) << "is written again";
}

TEST_F(SessionWindow, ASliceThatWasChosenIsNotMovedToTheViolations) {
  open("/data/planted.h5");
  const Slice violating = selection().slice();
  SessionState state;
  state.capture = "/data/planted.h5";
  state.slice = Slice{.layer = 1, .kvHead = 1};
  ASSERT_EQ(violating, *state.slice) << "where the violations are";
  // Where a new capture begins, before they are known.
  for (const int layer : {0, 1, 3}) {
    for (const int head : {0, 1}) {
      state.slice = Slice{.layer = layer, .kvHead = head};
      window->applySession(state);
      settle();
      EXPECT_EQ(window->sessionState().slice, state.slice);
    }
  }
}

TEST_F(SessionWindow, AMissingCaptureIsAskedForWithoutStoppingAnybody) {
  LoadedSession session;
  session.missing = "/gone/planted.h5";
  session.state.prefix = 12;
  sessions.put("/data/s.qaqsession", session);
  open("/data/s.qaqsession");
  EXPECT_TRUE(window->notice()->text().contains("/gone/planted.h5"));
  ASSERT_NE(answer("Locate…"), nullptr);
  EXPECT_TRUE(window->startPage()->isVisible());
  EXPECT_EQ(window->sessions()->path(), "") << "it is not open";
  // What the dialog leads to.
  window->sessions()->openAgain("/found/planted.h5");
  settle();
  EXPECT_EQ(window->workspace().path(), "/found/planted.h5");
  EXPECT_EQ(window->workspace().prefix(), 12);
  EXPECT_EQ(window->sessions()->path(), "/data/s.qaqsession");
}

TEST_F(SessionWindow, AChangedCaptureIsShownAndSaid) {
  LoadedSession session;
  session.state.capture = "/data/planted.h5";
  session.changed = true;
  sessions.put("/data/s.qaqsession", session);
  open("/data/s.qaqsession");
  EXPECT_TRUE(window->notice()->text().contains("planted.h5 is not the file"));
  EXPECT_NE(window->workspace().shown(), nullptr);
}

TEST_F(SessionWindow, ARefusedSessionIsNamedAndTheWindowGoesOn) {
  open("/data/planted.h5");
  const SharedSlice shown = window->workspace().shown();
  open("/data/none.qaqsession");
  EXPECT_TRUE(window->status()->errorText().contains("none.qaqsession"));
  sessions.put("/data/empty.qaqsession", {});
  open("/data/empty.qaqsession");
  EXPECT_TRUE(window->notice()->text().contains("no capture"));
  EXPECT_EQ(window->workspace().shown(), shown);
}

TEST_F(SessionWindow, SavesWhereItIsAskedTo) {
  open("/data/planted.h5");
  work(*window);
  window->sessions()->save("/data/mine.qaqsession");
  settle();
  ASSERT_TRUE(sessions.at("/data/mine.qaqsession"));
  EXPECT_EQ(sessions.at("/data/mine.qaqsession")->prefix, 30);
  EXPECT_EQ(window->sessions()->path(), "/data/mine.qaqsession");
  EXPECT_EQ(window->sessionState().document, "document of /data/mine.qaqsession")
      << "so that the next one keeps what it does not know";
  window->sessions()->save("/full/mine.qaqsession");
  settle();
  EXPECT_TRUE(window->status()->errorText().contains("no space left"));
  EXPECT_EQ(window->sessions()->path(), "/data/mine.qaqsession");
  open("/data/small.h5");
  EXPECT_EQ(window->sessions()->path(), "") << "another capture is no part of that session";
  EXPECT_EQ(window->sessionState().document, "");
}

TEST_F(SessionWindow, WhatIsSavedIsWrittenBeforeTheWindowIsGone) {
  open("/data/planted.h5");
  window->sessions()->save("/data/mine.qaqsession");
  window->close();
  EXPECT_TRUE(sessions.at("/data/mine.qaqsession"));
}

TEST_F(SessionWindow, KeepsACopyAfterAnEditAndNoneOnceItIsClosed) {
  open("/data/planted.h5");
  ASSERT_TRUE(waitFor([this] { return recovery->count() > 0; }));
  EXPECT_EQ(recovery->kept().capture, "/data/planted.h5");
  const int before = recovery->count();
  selection().lock({.layer = 1, .kvHead = 1, .token = 7});
  ASSERT_TRUE(waitFor([&] { return recovery->count() > before; }));
  EXPECT_EQ(recovery->kept().lock->token, 7);
  EXPECT_FALSE(recovery->isClosed());
  window->close();
  EXPECT_TRUE(recovery->isClosed());
}

TEST_F(SessionWindow, OffersWhatACrashLeft) {
  LoadedSession left;
  left.state.capture = "/data/planted.h5";
  left.state.prefix = 21;
  sessions.put("/state/left.qaqsession", left);
  window->offerRecovery();
  EXPECT_EQ(window->notice()->text(), "") << "nothing to offer";
  recovery->offer("/state/left.qaqsession");
  window->offerRecovery();
  EXPECT_TRUE(window->notice()->text().contains("did not close properly"));
  ASSERT_NE(answer("Restore"), nullptr);
  answer("Restore")->click();
  settle();
  EXPECT_EQ(window->notice()->text(), "");
  EXPECT_EQ(window->workspace().prefix(), 21);
  EXPECT_EQ(window->sessions()->path(), "") << "the copy is no file to save to";
  EXPECT_EQ(recovery->offered(), "/state/left.qaqsession") << "until it is kept anew";
  ASSERT_TRUE(waitFor([this] { return recovery->offered().isEmpty(); }));
  EXPECT_EQ(recovery->kept().prefix, 21);
  EXPECT_EQ(recent->names(), QStringList()) << "what was restored is no file that was opened";
}

TEST_F(SessionWindow, DiscardsWhatIsNotWanted) {
  recovery->offer("/state/left.qaqsession");
  window->offerRecovery();
  ASSERT_NE(answer("Discard"), nullptr);
  answer("Discard")->click();
  EXPECT_EQ(recovery->offered(), "");
  EXPECT_EQ(window->notice()->text(), "");
  EXPECT_TRUE(window->startPage()->isVisible());
}

TEST_F(SessionWindow, FilesThatWereOpenedAreRecentOnes) {
  SessionState state;
  state.capture = "/data/planted.h5";
  sessions.put("/data/s.qaqsession", {.state = state});
  open("/data/small.h5");
  open("/data/s.qaqsession");
  open("/data/broken.h5");
  EXPECT_EQ(recent->names(), (QStringList{"s.qaqsession", "small.h5"}));
}

TEST_F(SessionWindow, CapturesAndSessionsMayBeDropped) {
  SessionState state;
  state.capture = "/data/planted.h5";
  sessions.put("/data/s.qaqsession", {.state = state});
  for (const QString path : {"/data/small.h5", "/data/s.qaqsession"}) {
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(path)});
    QDragEnterEvent enter(QPoint(20, 20), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window.get(), &enter);
    EXPECT_TRUE(enter.isAccepted());
    QDropEvent drop(QPointF(20, 20), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window.get(), &drop);
    settle();
  }
  EXPECT_EQ(window->workspace().path(), "/data/planted.h5");
  EXPECT_EQ(recent->names(), (QStringList{"s.qaqsession", "small.h5"}));
}

}  // namespace
}  // namespace qaq::views
