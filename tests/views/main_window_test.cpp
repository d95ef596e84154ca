// The window as its user meets it.
#include "views/shell/main_window.h"

#include <QApplication>
#include <QClipboard>
#include <QMenuBar>
#include <QSlider>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/views/views_fixture.h"
#include "views/panels/inspector_panel.h"
#include "views/panels/parameter_field.h"
#include "views/panels/parameter_panel.h"
#include "views/plots/bit_map_view.h"
#include "views/shell/page_stack.h"
#include "views/shell/start_page.h"
#include "views/shell/status_line.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

SharedCapture openPlanted(const std::string& path, const Work& work) {
  if (path == "broken.h5") {
    refuse_input({.file = path, .place = "/entry", .what = "is missing", .cure = "capture again"});
  }
  if (path == "endless.h5") {
    while (!work.stopped()) std::this_thread::yield();
    work.throw_if_stopped();
  }
  return path == "small.h5" ? smallCapture() : plantedCapture();
}

std::vector<float> valuesOf(const Heatmap& map) {
  std::vector<float> values;
  for (std::int64_t row = 0; row < map.rows(); ++row) {
    for (std::int64_t column = 0; column < map.columns(); ++column) {
      values.push_back(map.at(row, column));
    }
  }
  return values;
}

class Window : public testing::Test {
 protected:
  Window() : window(openPlanted) {
    window.setThemeChoice(MainWindow::ThemeChoice::light);
    window.resize(1280, 800);
    window.show();
  }
  void settle() {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(waitFor([this] {
        QApplication::processEvents();
        return window.isSettled();
      }));
    }
  }
  void open(const QString& path = "planted.h5") {
    window.workspace().open(path);
    settle();
  }
  BitPane* bits(CacheSide side) {
    return static_cast<BitMapView*>(window.page()->view("bits"))->pane(side);
  }
  SelectionModel& selection() { return window.workspace().selection(); }

  MainWindow window;
};

TEST_F(Window, BeginsWithAPageThatSaysWhatToDo) {
  EXPECT_TRUE(window.startPage()->isVisible());
  EXPECT_FALSE(window.parameters()->isVisible());
  // Every command may be given without data.
  for (QAction* action : window.findChildren<QAction*>()) {
    const bool asks = action->text().contains("Open") || action->text().contains("About") ||
                      action->text().contains("Quit");
    if (!asks && action->menu() == nullptr) action->trigger();
  }
  QApplication::processEvents();
}

TEST_F(Window, OpensACaptureWhereItsViolationsAre) {
  open();
  EXPECT_FALSE(window.startPage()->isVisible());
  EXPECT_EQ(window.windowTitle(), "planted.h5 – QAQ Scope");
  EXPECT_EQ(selection().slice().layer, Planted::kLayer);
  EXPECT_EQ(selection().slice().kvHead, 1);
  for (const MapPane* pane : window.page()->current()->panes()) {
    EXPECT_GE(pane->axisRect()->rect().width(), 180);
    EXPECT_GE(pane->axisRect()->rect().height(), 110);
    EXPECT_NE(pane->heatmap()->map(), nullptr);
    EXPECT_FALSE(pane->accessibleName().isEmpty());
    EXPECT_FALSE(pane->accessibleDescription().isEmpty());
  }
}

TEST_F(Window, PanesOfAColumnAlignToThePixel) {
  open();
  const auto left = [this](const char* view, int pane) {
    const MapPane* p = window.page()->view(view)->panes()[pane];
    return p->mapTo(&window, p->axisRect()->rect().topLeft()).x();
  };
  EXPECT_EQ(left("bits", 0), left("outliers", 0));
  EXPECT_EQ(left("bits", 1), left("attention", 0));
}

TEST_F(Window, MovingASliderChangesTheBitMap) {
  open();
  const SharedHeatmap before = bits(CacheSide::value)->heatmap()->map();
  QSlider* slider = window.parameters()->field("value.target_quantization_error")->slider();
  slider->setSliderDown(true);
  for (int step = slider->value(); step >= 100; step -= 20) {
    slider->setSliderPosition(step);
    QApplication::processEvents();
  }
  slider->setSliderDown(false);
  settle();
  const SharedHeatmap after = bits(CacheSide::value)->heatmap()->map();
  ASSERT_NE(before, after);
  const auto fresh =
      analyse({.capture = window.workspace().capture(), .params = window.parameters()->params()});
  EXPECT_EQ(valuesOf(*after), valuesOf(*fresh->value.bits))
      << "the final picture equals a fresh computation";
  EXPECT_NE(valuesOf(*after), valuesOf(*before));
  // And it is on the screen.
  const QImage screen = window.grab().toImage();
  const BitPane* pane = bits(CacheSide::value);
  const int n = static_cast<int>(after->at(0, 3));
  EXPECT_EQ(screen.pixel(pane->mapTo(&window, pane->cellCentre(0, 3).toPoint())),
            Palette::of(ThemeKind::light).bits(n));
}

TEST_F(Window, ChangesWaitForRunWhenItIsNotLive) {
  open();
  const SharedSlice before = window.workspace().shown();
  window.workspace().setLive(false);
  ScopeParams params;
  set_parameter(params, "n_bits_max", std::int64_t{3});
  window.workspace().setParams(params);
  settle();
  EXPECT_EQ(window.workspace().shown(), before);
  EXPECT_FALSE(window.workspace().isCurrent());
  window.workspace().run();
  settle();
  EXPECT_TRUE(window.workspace().isCurrent());
  EXPECT_NE(window.workspace().shown(), before);
}

TEST_F(Window, HoverIsReadOutEverywhere) {
  open();
  MapPane* pane = window.page()->view("attention")->panes().first();
  movePointer(pane, pane->cellCentre(Planted::kStep, Planted::kToken).toPoint());
  const QString token =
      QString::fromStdString(window.workspace().capture()->info().token_text[Planted::kToken]);
  const QString text = window.status()->cursorText();
  EXPECT_TRUE(text.startsWith("V · L1 · KVH1 · tok 7 “" + token + "”")) << text.toStdString();
  EXPECT_TRUE(text.contains("0.900 from step 30")) << text.toStdString();
  bool found = false;
  for (const auto& [name, value] : window.inspector()->rows()) {
    if (name == "Largest jump") {
      found = true;
      EXPECT_EQ(value, "0.900 at step 30, 23.4 ×");
    }
    if (name == "Kept exact, V") {
      EXPECT_TRUE(value.contains("of 16 (nominal 1 %)")) << value.toStdString();
    }
  }
  EXPECT_TRUE(found);
}

TEST_F(Window, KeysMoveTheSelection) {
  open();
  ASSERT_TRUE(takeKeyboard(window));
  MapPane* pane = bits(CacheSide::key);
  pane->setFocus();
  QTest::keyClick(pane, Qt::Key_BracketRight);
  EXPECT_EQ(selection().slice().layer, 2);
  QTest::keyClick(pane, Qt::Key_BracketLeft);
  EXPECT_EQ(selection().slice().layer, 1);
  QTest::keyClick(pane, '{');
  EXPECT_EQ(selection().slice().kvHead, 0);
  QTest::keyClick(pane, Qt::Key_K);
  EXPECT_EQ(selection().slice().side, CacheSide::key);
  QTest::keyClick(pane, Qt::Key_V);
  EXPECT_EQ(selection().slice().side, CacheSide::value);
  QTest::keyClick(pane, Qt::Key_Right);
  ASSERT_TRUE(selection().locked());
  QTest::keyClick(pane, Qt::Key_Escape);
  EXPECT_FALSE(selection().locked());
  settle();
  EXPECT_EQ(window.workspace().shown()->slice, selection().slice()) << "the maps follow";
}

TEST_F(Window, TokenAxesZoomTogether) {
  open();
  ASSERT_TRUE(takeKeyboard(window));
  window.page()->current()->panes().first()->xAxis->setRange(9.5, 19.5);
  for (const MapPane* pane : window.page()->current()->panes())
    EXPECT_EQ(pane->xAxis->range(), QCPRange(9.5, 19.5));
  QTest::keyClick(bits(CacheSide::key), Qt::Key_0);
  for (const MapPane* pane : window.page()->current()->panes())
    EXPECT_EQ(pane->xAxis->range(), QCPRange(-0.5, 39.5));
}

TEST_F(Window, ACopiedCommandSaysWhatIsShown) {
  open("my captures/it's.h5");
  ScopeParams params;
  set_parameter(params, "key.level", std::string("layer"));
  window.setSettings(params, 30);
  settle();
  EXPECT_EQ(window.replayCommand(),
            "qaq replay 'my captures/it'\\''s.h5' --prefix 30 --set key.level=layer");
  EXPECT_EQ(
      window.figureCommand("attention"),
      "qaq-scope figure attention 'my captures/it'\\''s.h5' --prefix 30 --set key.level=layer "
      "--layer 1 --head 1 -o attention.png");
}

TEST_F(Window, ARefusedFileIsNamedAndTheWindowGoesOn) {
  window.workspace().open("broken.h5");
  settle();
  EXPECT_TRUE(window.startPage()->isVisible());
  EXPECT_TRUE(
      window.startPage()->errorText().contains("broken.h5: /entry: is missing; capture again"));
  open();
  const SharedSlice shown = window.workspace().shown();
  window.workspace().open("broken.h5");
  settle();
  EXPECT_EQ(window.workspace().shown(), shown) << "what was open stays";
  EXPECT_TRUE(window.status()->errorText().contains("is missing"));
}

TEST_F(Window, AnotherCaptureTakesTheWholeWindow) {
  open();
  selection().lock({.layer = 2, .kvHead = 1, .token = 39, .step = 39});
  window.workspace().setPrefix(30);
  settle();
  open("small.h5");
  EXPECT_EQ(window.windowTitle(), "small.h5 – QAQ Scope");
  EXPECT_FALSE(selection().locked());
  EXPECT_EQ(window.workspace().shown()->analysis->replay->prefix, 12) << "held to the new length";
  EXPECT_EQ(bits(CacheSide::key)->heatmap()->map()->columns(), 12);
  EXPECT_EQ(bits(CacheSide::key)->xAxis->range(), QCPRange(-0.5, 11.5));
  selection().lock({.token = 11});
  open("planted.h5");
  EXPECT_EQ(bits(CacheSide::key)->heatmap()->map()->columns(), Planted::kTokens);
}

TEST_F(Window, ACaptureThatTheParametersDoNotSuitIsOpenedAllTheSame) {
  ScopeParams params;
  set_parameter(params, "n_bits_min", std::int64_t{9});
  window.setSettings(params, 0);
  open();
  EXPECT_FALSE(window.startPage()->isVisible());
  EXPECT_TRUE(bits(CacheSide::key)->message().contains("n_bits_min"));
  window.setSettings({}, 0);
  settle();
  EXPECT_EQ(bits(CacheSide::key)->message(), "");
  EXPECT_NE(bits(CacheSide::key)->heatmap()->map(), nullptr);
}

TEST_F(Window, ContradictingParametersLeaveTheLastResult) {
  open();
  const SharedSlice shown = window.workspace().shown();
  ScopeParams params;
  set_parameter(params, "n_bits_min", std::int64_t{9});
  window.workspace().setParams(params);
  settle();
  EXPECT_EQ(window.workspace().shown(), shown);
  EXPECT_TRUE(window.status()->errorText().contains("n_bits_min"));
}

TEST_F(Window, ANewerFileWinsOverOneThatLoads) {
  window.workspace().open("endless.h5");
  QTest::qSleep(5);
  open();
  EXPECT_NE(window.workspace().shown(), nullptr);
}

TEST(ClosingTheWindow, WhileLoadingEndsTheLoading) {
  auto window = std::make_unique<MainWindow>(openPlanted);
  window->show();
  window->workspace().open("endless.h5");
  QApplication::processEvents();
  window.reset();  // joins: an endless load would hang here
}

TEST(ClosingTheWindow, WhileReplayingAndDrawingEndsBoth) {
  auto window = std::make_unique<MainWindow>(openPlanted);
  window->show();
  window->workspace().open("planted.h5");
  ASSERT_TRUE(waitFor([&] { return window->workspace().shown() != nullptr; }));
  ScopeParams params;
  set_parameter(params, "target_quantization_error", 0.1);
  window->workspace().setParams(params);
  ASSERT_TRUE(
      window->workspace().runner().busy());  // until events are processed, whatever its speed
  window.reset();
  QApplication::processEvents();
}

TEST_F(Window, BothThemesDrawOnTheirSurface) {
  open();
  for (const auto& [choice, kind] : {std::pair{MainWindow::ThemeChoice::dark, ThemeKind::dark},
                                     std::pair{MainWindow::ThemeChoice::light, ThemeKind::light}}) {
    window.setThemeChoice(choice);
    settle();
    const QImage screen = window.grab().toImage();
    const MapPane* pane = bits(CacheSide::key);
    EXPECT_EQ(screen.pixel(pane->mapTo(&window, QPoint(4, 60))), Theme::of(kind).surface.rgb());
    const int n = static_cast<int>(pane->heatmap()->map()->at(0, 3));
    EXPECT_EQ(screen.pixel(pane->mapTo(&window, pane->cellCentre(0, 3).toPoint())),
              Palette::of(kind).bits(n));
  }
}

}  // namespace
}  // namespace qaq::views
