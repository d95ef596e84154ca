#include "views/shell/capture_dialog.h"

#include <atomic>
#include <gtest/gtest.h>

#include "tests/views/session_fakes.h"
#include "views/shell/main_window.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

// A maker that runs until it is told to end, or stopped.
struct Engine {
  std::atomic<bool> may_end = false;
  std::atomic<int> made = 0, stopped = 0;

  CaptureMaker maker() {
    return {.forecast =
                [](const CaptureForm& form, const Work&) {
                  if (form.layers == "99") {
                    refuse_usage({.place = "--layers", .what = "the model has no layer 99"});
                  }
                  return CaptureForecast{.model = "tiny",
                                         .promptTokens = 5,
                                         .mostTokens = 5 + form.generate,
                                         .layers = 2,
                                         .attention = "full",
                                         .bytes = 1'500'000};
                },
            .make =
                [this](const CaptureForm& form, const Work& work) {
                  if (form.model == "broken") refuse_input({.file = "broken", .what = "is cut"});
                  work.report({"decode", 3, 8, "tokens"});
                  while (!may_end) {
                    if (work.stopped()) ++stopped;
                    work.throw_if_stopped();
                    std::this_thread::yield();
                  }
                  ++made;
                },
            .models = {"smollm2-135m"}};
  }
};

CaptureForm filled() {
  return {.model = "tiny.gguf",
          .prompt = "Once",
          .generate = 8,
          .attention = "window:7",
          .dtype = "f16",
          .output = "/data/small.h5"};
}

class Dialog : public testing::Test {
 protected:
  Dialog() : dialog(engine.maker()) {
    dialog.show();
    dialog.setForm(filled());
  }
  bool says(const QString& text) {
    return waitFor([&] { return dialog.stateText().contains(text); });
  }
  Engine engine;
  CaptureDialog dialog;
};

TEST_F(Dialog, GivesBackItsForm) {
  EXPECT_EQ(dialog.form(), filled());
  CaptureForm other = filled();
  other.prompt.clear();
  other.promptFile = "/data/story.txt";
  other.layers = "0-3,14";
  other.attention = "derive";
  dialog.setForm(other);
  EXPECT_EQ(dialog.form(), other);
  EXPECT_FALSE(dialog.isModal());
}

TEST_F(Dialog, SaysHowLargeTheFileWillBe) {
  EXPECT_TRUE(says("tiny · prompt of 5 tokens, 13 at most in all · 2 layers · attention full"));
  EXPECT_TRUE(says("about 1.50 MB"));
  CaptureForm form = filled();
  form.layers = "99";
  dialog.setForm(form);
  EXPECT_TRUE(says("no layer 99"));
}

TEST_F(Dialog, SaysWhatIsMissing) {
  for (const auto& [clear, text] :
       std::initializer_list<std::pair<QString CaptureForm::*, QString>>{
           {&CaptureForm::model, "Name a model."},
           {&CaptureForm::prompt, "Give a prompt."},
           {&CaptureForm::output, "Say where"}}) {
    CaptureForm form = filled();
    (form.*clear).clear();
    dialog.setForm(form);
    dialog.start();
    EXPECT_TRUE(dialog.stateText().contains(text)) << dialog.stateText().toStdString();
    EXPECT_FALSE(dialog.job().isRunning());
  }
}

TEST_F(Dialog, ShowsProgressAndStopsWhenCancelled) {
  dialog.start();
  EXPECT_TRUE(says("Generating: 3 of 8"));
  EXPECT_TRUE(dialog.job().isRunning());
  dialog.job().cancel();
  EXPECT_TRUE(says("nothing was written"));
  EXPECT_TRUE(waitFor([this] { return engine.stopped == 1; }));
  EXPECT_EQ(engine.made, 0);
  engine.may_end = true;  // and may be started again
  dialog.start();
  ASSERT_TRUE(waitFor([this] { return engine.made == 1; }));
  EXPECT_TRUE(says("/data/small.h5 is written"));
}

TEST_F(Dialog, SaysWhyItFailed) {
  CaptureForm form = filled();
  form.model = "broken";
  dialog.setForm(form);
  dialog.start();
  EXPECT_TRUE(says("broken: is cut"));
  EXPECT_FALSE(dialog.job().isRunning());
}

TEST_F(Dialog, ClosingTheFormDoesNotStopWhatRuns) {
  dialog.start();
  dialog.close();
  EXPECT_TRUE(dialog.job().isRunning());
  engine.may_end = true;
  EXPECT_TRUE(waitFor([this] { return engine.made == 1; }));
}

TEST(CaptureInTheWindow, IsOpenedWhenItIsWhole) {
  Engine engine;
  WindowServices services{.openCapture = openFake};
  services.capture = engine.maker();
  MainWindow window(services);
  window.show();
  window.captureDialog()->setForm(filled());
  window.captureDialog()->start();
  ASSERT_TRUE(waitFor([&] { return window.captureDialog()->stateText().contains("3 of 8"); }));
  // The window goes on.
  window.openFile("/data/planted.h5");
  ASSERT_TRUE(waitFor([&] { return window.workspace().path() == "/data/planted.h5"; }));
  engine.may_end = true;
  EXPECT_TRUE(waitFor([&] { return window.workspace().path() == "/data/small.h5"; }));
}

TEST(CaptureInTheWindow, StopsWhenTheWindowIsGone) {
  Engine engine;
  WindowServices services{.openCapture = openFake};
  services.capture = engine.maker();
  auto window = std::make_unique<MainWindow>(services);
  window->show();
  window->captureDialog()->setForm(filled());
  window->captureDialog()->start();
  ASSERT_TRUE(waitFor([&] { return window->captureDialog()->stateText().contains("3 of 8"); }));
  window.reset();  // joins: a capture that went on would hang here
  EXPECT_EQ(engine.stopped, 1);
  EXPECT_EQ(engine.made, 0);
}

}  // namespace
}  // namespace qaq::views
