// The diagnosis in the window, with a service that answers what a test wants.
#include <QCheckBox>
#include <QLabel>
#include <QPushButton>
#include <QTableWidget>
#include <gtest/gtest.h>

#include "core/analysis/diagnosis_tables.h"
#include "tests/views/diagnosis_fake.h"
#include "views/models/diagnoser.h"
#include "views/panels/failures_panel.h"
#include "views/panels/why_panel.h"
#include "views/plots/broke_view.h"
#include "views/plots/diagnosis_text.h"
#include "views/plots/heads_view.h"
#include "views/plots/where_view.h"
#include "views/shell/diagnosis_dialog.h"
#include "views/shell/main_window.h"
#include "views/shell/notice_bar.h"
#include "views/shell/page_stack.h"
#include "views/shell/window_commands.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

class DiagnosisWindow : public testing::Test {
 protected:
  DiagnosisWindow() {
    WindowServices services{
        .openCapture = [](const std::string&, const Work&) { return plantedCapture(); }};
    services.diagnosis = fake.maker();
    window = std::make_unique<MainWindow>(services);
    window->setThemeChoice(MainWindow::ThemeChoice::light);
    window->resize(1600, 1000);
    window->show();
    window->activateWindow();
    window->setSettings({}, 30);
    window->workspace().open("planted.h5");
    settle();
  }
  void settle() {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(waitFor([this] {
        QApplication::processEvents();
        return window->isSettled();
      }));
    }
  }
  void run(const QString& line) {
    window->commands().registry().triggerLine(line);
    settle();
  }
  std::string why(const char* id) {
    return window->commands().registry().blocked(QLatin1String(id)).toStdString();
  }
  std::string cell(int row, int column) {
    return window->failures()->table()->item(row, column)->text().toStdString();
  }

  FakeDiagnosis fake;
  std::unique_ptr<MainWindow> window;
};

TEST_F(DiagnosisWindow, BeginsWithAnOffer) {
  EXPECT_TRUE(window->failures()->stateText().startsWith("Which predictions"));
  EXPECT_TRUE(window->failures()->diagnoseButton()->isVisibleTo(window->failures()));
  EXPECT_TRUE(window->why()->summary().startsWith("No diagnosis yet."));
  EXPECT_FALSE(window->why()->exportButton()->isEnabled());
  EXPECT_NE(why("diagnose.next").find("there is no diagnosis yet"), std::string::npos);
  window->failures()->diagnoseButton()->click();
  ASSERT_TRUE(window->diagnosisDialog());
  EXPECT_TRUE(window->diagnosisDialog()->isVisible());
  const DiagnosisForm form = window->diagnosisDialog()->form();
  EXPECT_EQ(form.model.toStdString(), plantedInfo().model_name);
  EXPECT_EQ(form.prefix, plantedInfo().n_prompt);
}

TEST_F(DiagnosisWindow, TheFormSaysWhatIsPredicted) {
  DiagnosisDialog form({"one"});
  form.setCapture(plantedInfo());
  form.setForm({.model = "one", .prefix = 30});
  EXPECT_EQ(form.stateText(),
            "Predicts the last 10 tokens of the capture, behind the quantized "
            "ones.");
  form.setForm({.model = "one", .prefix = 40, .generate = 5});
  EXPECT_EQ(form.stateText(),
            "Predicts 5 tokens of the whole cache's own text, behind the whole capture.");
  EXPECT_EQ(form.form(), (DiagnosisForm{.model = "one", .prefix = 40, .generate = 5}));
  form.setForm({.model = "", .prefix = 40});
  EXPECT_FALSE(form.startButton()->isEnabled());
}

TEST_F(DiagnosisWindow, ExplainsTheShownSetting) {
  run("diagnose some.gguf prefix=30 margin=0.25 step=2");
  EXPECT_EQ(fake.asked.form,
            (DiagnosisForm{.model = "some.gguf", .prefix = 30, .coinFlipMargin = 0.25, .step = 2}));
  EXPECT_EQ(fake.asked.capture, window->workspace().capture());
  ASSERT_EQ(window->failures()->steps(), (QList<int>{2, 4, 6})) << "those that changed";
  EXPECT_EQ(cell(0, FailuresPanel::kAfter), "“ w32” 32");
  EXPECT_EQ(cell(0, FailuresPanel::kExpected), "“ w102”");
  EXPECT_EQ(cell(0, FailuresPanel::kGot), "“ w202”");
  EXPECT_EQ(cell(0, FailuresPanel::kShare), "30.0 → 20.0");
  EXPECT_EQ(cell(0, FailuresPanel::kVerdict), "▲ first divergence");
  EXPECT_EQ(cell(1, FailuresPanel::kVerdict), "○ coin-flip");
  EXPECT_EQ(cell(2, FailuresPanel::kVerdict), "▲ diverged");
  window->failures()->allSteps()->setChecked(true);
  EXPECT_EQ(window->failures()->steps().size(), 10);
  EXPECT_EQ(window->failures()->stateText(), "3 of 10 top tokens changed, 1 of them coin-flips");

  EXPECT_EQ(window->why()->summary().toStdString(),
            "First divergence: step 2, after “ w32” 32: expected “ w102” (margin 0.500), got "
            "“ w202”, KL 0.600 nat. Leaving 3 of 480 cells exact repairs it: values of layers "
            "1-2, most of all V · L1 · KVH1 · tok 7.");
  const QList<CauseItem*> causes = window->why()->causes();
  ASSERT_EQ(causes.size(), 3);
  EXPECT_EQ(causes[0]->stateText(), "confirmed");
  EXPECT_EQ(causes[0]->counterfactualText(), "Counterfactual: more bits, in 3 cells");
  EXPECT_EQ(causes[0]->effectText(), "KL 0.600 → 0.0700, “ w102” restored");
  EXPECT_EQ(causes[1]->effectText(), "KL 0.600 → 0.500, still “ w202”");
  EXPECT_EQ(causes[2]->stateText(), "ruled out");
  EXPECT_EQ(causes[2]->effectText(), "");
  EXPECT_EQ(causes[2]->counterfactualText(), "3 of 3 suspect cells")
      << "not replayed: the evidence";
  EXPECT_TRUE(window->page()->current()->view("broke")) << "the page came to the front";
}

TEST_F(DiagnosisWindow, AStepIsLookedAtFromEverywhere) {
  run("diagnose m");
  const auto token = [this] { return window->workspace().selection().locked()->token; };
  EXPECT_EQ(token(), 32) << "the explained one";
  EXPECT_NE(why("diagnose.previous").find("no earlier step"), std::string::npos);
  QTest::keyClick(window->page(), Qt::Key_N);
  settle();
  EXPECT_EQ(token(), 36) << "a coin-flip is no failure";
  EXPECT_EQ(window->failures()->table()->currentRow(), 2);
  EXPECT_NE(why("diagnose.next").find("no later step"), std::string::npos);
  QTest::keyClick(window->page(), Qt::Key_N, Qt::ShiftModifier);
  settle();
  EXPECT_EQ(token(), 32);
  window->failures()->table()->setCurrentCell(1, 0);
  settle();
  EXPECT_EQ(token(), 34);
  auto* broke = qobject_cast<BrokeView*>(window->page()->view("broke"));
  EXPECT_EQ(broke->step(), 4);
  QTest::mouseClick(broke, Qt::LeftButton, {}, broke->barOf(6).center().toPoint());
  settle();
  EXPECT_EQ(token(), 36);
}

TEST_F(DiagnosisWindow, AnotherSettingMakesItOld) {
  run("diagnose m");
  EXPECT_EQ(window->why()->oldText(), "");
  run("n_bits_max = 2");
  EXPECT_EQ(window->why()->oldText(), "▲ made with an older setting: all defaults");
  EXPECT_TRUE(window->failures()->stateText().startsWith("▲ made with an older setting"));
  ASSERT_EQ(window->why()->causes().size(), 3) << "it stays to be read";
  run("diagnose m");
  EXPECT_EQ(window->why()->oldText(), "");
  EXPECT_EQ(fake.asked.params.qaq.key.n_bits_max, 2);
  run("undo");
  EXPECT_EQ(window->why()->oldText(), "▲ made with an older setting: n_bits_max=2");
}

TEST_F(DiagnosisWindow, CanBeCancelledAndKeepsTheOneBefore) {
  fake.waits = true;
  window->commands().registry().triggerLine("diagnose m");
  ASSERT_TRUE(waitFor([this] { return fake.stands.load(); }));
  EXPECT_EQ(window->failures()->stateText(), "The model runs; what it finds comes here.");
  EXPECT_NE(why("diagnose.run").find("a diagnosis runs"), std::string::npos);
  run("diagnose-cancel");
  EXPECT_EQ(window->failures()->stateText(), "Cancelled: nothing was found out yet.");
  fake.waits = fake.stands = false;
  run("diagnose m");
  fake.waits = true;
  window->commands().registry().triggerLine("diagnose m");
  ASSERT_TRUE(waitFor([this] { return fake.stands.load(); }));
  run("diagnose-cancel");
  EXPECT_TRUE(window->failures()->stateText().startsWith("cancelled, the one before stands"));
  EXPECT_EQ(window->failures()->steps().size(), 3);
  fake.stands = false;
  window->commands().registry().triggerLine("diagnose m");
  ASSERT_TRUE(waitFor([this] { return fake.stands.load(); }));
  window.reset();  // joins
}

TEST_F(DiagnosisWindow, ARefusalIsTold) {
  fake.refusal = "is not the model";
  run("diagnose m");
  EXPECT_EQ(window->failures()->stateText(), "⚠ is not the model");
  EXPECT_TRUE(window->notice()->text().contains("is not the model"));
}

TEST_F(DiagnosisWindow, TellsWhereNothingBroke) {
  fake.edit = [](Diagnosis& answer) {
    answer.outcome = DiagnosisOutcome::nothing_broke;
    answer.cells.clear();
    answer.causes.clear();
    answer.step = 0;
    for (DiagnosedStep& step : answer.steps) {
      step.verdict = StepVerdict::same;
      step.score.score.same_top = true;
    }
  };
  run("diagnose m");
  EXPECT_TRUE(window->why()->summary().startsWith("Nothing broke. Explained: step 0, after"));
  EXPECT_EQ(window->failures()->steps().size(), 10) << "without failures all steps";
  EXPECT_FALSE(window->why()->cellsButton()->isEnabled());
  EXPECT_FALSE(window->page()->view("where")->error().isEmpty());
  EXPECT_NE(why("diagnose.cells").find("no cells are to blame"), std::string::npos);
}

TEST_F(DiagnosisWindow, TellsWhereItIsNotQuantization) {
  fake.edit = [](Diagnosis& answer) {
    answer.outcome = DiagnosisOutcome::not_quantization;
    answer.exact_kl = 0.25;
  };
  run("diagnose m");
  EXPECT_TRUE(window->why()->summary().startsWith(
      "Not quantization: with the whole cache's own numbers put back, KL is 0.250 nat."));
}

TEST_F(DiagnosisWindow, ShowsTheCellsToBlame) {
  run("diagnose m");
  window->why()->cellsButton()->click();
  settle();
  const SelectionModel& selection = window->workspace().selection();
  EXPECT_EQ(*selection.locked(),
            (Cursor{.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 7}));
  EXPECT_EQ(selection.selected().n_cells(), 2) << "layer 2 was not captured";
  EXPECT_TRUE(selection.selected().contains(1, 1, 8));
  ASSERT_EQ(window->slices().userSlices().size(), 1u);
  EXPECT_EQ(window->slices().userSlices()[0].name, "to blame at step 2");
}

TEST_F(DiagnosisWindow, ExportsItsReport) {
  run("diagnose m");
  run("export-report why.md");
  EXPECT_EQ(fake.written, "why.md");
  ASSERT_EQ(fake.pictures.size(), 3u);
  EXPECT_EQ(fake.pictures[0].file, "why-broke.png");
  for (const PagePicture& picture : fake.pictures) {
    const QImage image = QImage::fromData(QByteArray::fromStdString(picture.png));
    EXPECT_EQ(image.size(), QSize(1520, 760)) << picture.title;
  }
}

TEST_F(DiagnosisWindow, AnotherCaptureForgetsIt) {
  run("diagnose m");
  window->workspace().open("planted.h5");
  settle();
  EXPECT_FALSE(window->diagnoser()->result());
  EXPECT_FALSE(window->workspace().shown()->diagnosis);
  EXPECT_TRUE(window->why()->causes().isEmpty());
}

SharedSlice diagnosed() {
  return diagnosedSlice(loadSlice(plantedAnalysis({}, 30), {.layer = 1, .kvHead = 1}));
}

TEST(DiagnosisViews, BarsTellWhatBecameOfEachStep) {
  SelectionModel selection;
  const SharedSlice slice = diagnosed();
  selection.reset(plantedInfo(), slice->slice);
  BrokeView view(&selection);
  const ShownView shown(view, slice, {900, 400});
  const QImage image = view.grab().toImage();
  const Theme& theme = Theme::of(ThemeKind::light);
  const auto inside = [&](int step) {
    const QRectF bar = view.barOf(step);
    return image.pixelColor(QPointF(bar.center().x(), bar.bottom() - 3).toPoint());
  };
  EXPECT_EQ(inside(6), theme.violation);
  EXPECT_EQ(inside(4), theme.palette().single("neutral_bar")) << "a coin-flip is no failure";
  EXPECT_EQ(inside(9), theme.palette().single("neutral_bar"));
  EXPECT_NEAR(view.barOf(6).height() / view.barOf(2).height(), 1.0 / 0.6, 0.01);
}

TEST(DiagnosisViews, WhereKeepsTheTellingReplays) {
  SelectionModel selection;
  const SharedSlice slice = diagnosed();
  selection.reset(plantedInfo(), slice->slice);
  WhereView view(&selection);
  const ShownView shown(view, slice, {900, 400});
  EXPECT_EQ(view.drawn(400), (std::vector<std::size_t>{2, 3, 4, 5, 1}))
      << "by KL; no check, no why";
  EXPECT_EQ(view.drawn(40).size(), 2u);
  EXPECT_EQ(view.table()->n_rows, 8);
}

TEST(DiagnosisViews, HeadsDivergeAboutNoChangeOnceReplayed) {
  SelectionModel selection;
  SharedSlice slice = diagnosed();
  selection.reset(plantedInfo(), slice->slice);
  HeadsView view(&selection);
  {
    const ShownView shown(view, slice, {900, 400});
    EXPECT_EQ(view.colors(),
              ColorMap::linear(Theme::of(ThemeKind::light).palette().viridis(), 0, 2));
  }
  auto replayed = std::make_shared<DiagnosisResult>();
  replayed->request = slice->diagnosis->request;
  replayed->subject = slice->diagnosis->subject;
  replayed->diagnosis = plantedDiagnosis();
  const auto kl = static_cast<float>(replayed->diagnosis.explained().score.score.kl);
  for (auto& side : replayed->diagnosis.head_kl) {
    side = NdArray<float, 2>({4, 2});
    std::ranges::fill(side.span(), kl);
    side(1, 1) = kl - 0.5f;
  }
  auto next = std::make_shared<SliceMaps>(*slice);
  next->diagnosis = replayed;
  const ShownView shown(view, next, {900, 400});
  EXPECT_EQ(view.colors().kind(), ColorMap::Kind::diverging);
  EXPECT_NEAR(view.colors().low(), -0.5, 1e-6);
  EXPECT_NEAR(view.colors().high(), 0.5, 1e-6);
  const QImage image = view.grab().toImage();
  const QPoint at = view.cellOf(CacheSide::key, 3, 0).center().toPoint();
  EXPECT_EQ(image.pixelColor(at), QColor(view.colors()(0))) << "no change";
  QTest::mouseClick(&view, Qt::LeftButton, {},
                    view.cellOf(CacheSide::key, 3, 0).center().toPoint());
  EXPECT_EQ(selection.slice(), (Slice{.side = CacheSide::key, .layer = 2, .kvHead = 0}))
      << "layer 3 is the third that was captured";
}

}  // namespace
}  // namespace qaq::views
