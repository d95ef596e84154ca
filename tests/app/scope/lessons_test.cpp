// Every lesson, gone through in a window by its own steps: what it does is possible and makes its
// conditions true, what it frames is there, its numbers can be worked out, its answers are among
// the choices, and every "Show me" can be taken back.

#include <QFile>
#include <QRegularExpression>
#include <QUndoStack>
#include <algorithm>
#include <gtest/gtest.h>

#include "app/scope/lesson_services.h"
#include "app/scope/window.h"
#include "core/base/error.h"
#include "data/capture/capture_file.h"
#include "data/lessons/lesson_file.h"
#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"
#include "views/panels/lesson_panel.h"
#include "views/plots/chart_panel.h"
#include "views/plots/view_list.h"
#include "views/shell/lesson_guide.h"
#include "views/shell/main_window.h"
#include "views/shell/window_commands.h"

namespace qaq {
namespace {

using scope::settle;
using test::ProgramResult;
using test::TemporaryFolder;
using views::LessonGuide;
using views::MainWindow;

views::WindowServices services(const QString& progress = {}) {
  views::WindowServices out{.openCapture = [](const std::string& path, const Work& work) {
    return open_capture(path, work);
  }};
  out.lessons = scope::lessonServices(progress);
  return out;
}

/// A window with a lesson open.
struct Class {
  explicit Class(int lesson, const QString& progress = {}) : window(services(progress)) {
    window.commands().usePresets(scope::bundledPresets());
    window.show();
    guide.open(lesson);
    window.showLessonDock();
    settle(window);
  }
  QUndoStack& stack() { return window.commands().edits().stack(); }

  MainWindow window;
  LessonGuide& guide = *window.lessons();
};

bool same(const LessonState& a, const LessonState& b) {
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    if (a.parameters[i].value != b.parameters[i].value) return false;
  }
  return a.views == b.views && a.locked == b.locked && a.token == b.token && a.layer == b.layer &&
         a.head == b.head && a.query_head == b.query_head && a.cache == b.cache &&
         a.prefix == b.prefix;
}

class EveryLesson : public testing::TestWithParam<int> {};

/// Every point can be drawn, and losses have their intervals.
void checkChart(const Chart& chart) {
  EXPECT_EQ(views::undrawable(chart), 0);
  for (const ChartPanel& panel : chart.panels) {
    EXPECT_FALSE(panel.series.empty()) << panel.title;
    for (const ChartSeries& series : panel.series) {
      EXPECT_FALSE(series.points.empty()) << series.name;
      for (const ChartPoint& point : series.points) {
        if (series.mark == ChartMark::rug) continue;
        EXPECT_LT(point.low, point.y) << series.name;
        EXPECT_GT(point.high, point.y) << series.name;
      }
    }
  }
}

void checkText(const Class& of) {
  const LessonGuide& guide = of.guide;
  try {
    const views::LessonText text = views::lessonText(*guide.lesson(), guide.step(), guide.data());
    EXPECT_FALSE(text.body.isEmpty());
    EXPECT_FALSE(text.body.contains(QLatin1String("{{")));
    EXPECT_FALSE(text.comparison.contains(QLatin1String("{{")));
    EXPECT_EQ(text.chart != nullptr, !guide.currentStep().chart.empty());
    if (text.chart) checkChart(*text.chart);
    if (!guide.currentStep().commands.empty()) {
      EXPECT_LE(text.body.split(QRegularExpression(QStringLiteral("\\s+"))).size(), 80)
          << "words before the first action";
    }
    if (!guide.currentStep().question.empty()) {
      EXPECT_GE(text.right, 0) << "the answer is not one of: "
                               << text.choices.join(", ").toStdString();
    }
  } catch (const Error& error) {
    ADD_FAILURE() << error.what();
  }
}

void checkShowMe(Class& of) {
  const LessonGuide& guide = of.guide;
  const views::CommandRegistry& registry = of.window.commands().registry();
  for (const std::string& line : guide.currentStep().commands) {
    EXPECT_NO_THROW(registry.read(QString::fromStdString(line))) << line;
  }
  const LessonState before = guide.state();
  EXPECT_FALSE(guide.isDone()) << "there is nothing left to do";
  const int steps = of.stack().index();
  of.guide.showMe();
  settle(of.window);
  EXPECT_TRUE(guide.isDone());
  EXPECT_EQ(of.stack().index(), steps + 1) << "one step to undo";
  of.stack().undo();
  settle(of.window);
  EXPECT_TRUE(same(guide.state(), before)) << "undo does not take it back";
  of.stack().redo();
  settle(of.window);
  EXPECT_TRUE(guide.isDone()) << "redo does not do it again";
}

TEST_P(EveryLesson, CanBeDoneStepByStep) {
  Class of(GetParam());
  ASSERT_TRUE(of.guide.lesson());
  ASSERT_TRUE(of.guide.hasCapture()) << "the bundled sample is not there";
  const Lesson& lesson = *of.guide.lesson();
  for (std::size_t step = 0; step < lesson.steps.size(); ++step) {
    SCOPED_TRACE(lesson.id + " " + lesson.steps[step].id);
    of.guide.goTo(step);
    settle(of.window);
    if (!lesson.steps[step].commands.empty()) checkShowMe(of);
    checkText(of);
    for (const std::string& name : lesson.steps[step].highlight) {
      const QWidget* target = of.guide.target(name);
      EXPECT_TRUE(target) << name;
    }
    const std::string& picture = lesson.steps[step].picture;
    if (!picture.empty()) {
      EXPECT_TRUE(views::viewIds().contains(QString::fromStdString(picture))) << picture;
    }
    EXPECT_TRUE(of.window.lessonPanel()->isVisible()) << "something covers the lesson";
  }
}

INSTANTIATE_TEST_SUITE_P(Bundled, EveryLesson,
                         testing::Range(0, static_cast<int>(lesson_names().size())),
                         [](const testing::TestParamInfo<int>& at) {
                           std::string name = lesson_names()[static_cast<std::size_t>(at.param)];
                           std::ranges::replace(name, '-', '_');
                           return "L" + name;
                         });

TEST(Lessons, GoOnWhereTheyWereLeft) {
  const TemporaryFolder folder;
  const QString file = QString::fromStdString(folder.file("state/lessons.json"));
  {
    Class of(0, file);
    of.guide.showMe();
    settle(of.window);
    of.guide.next();
  }
  Class again(0, file);
  EXPECT_EQ(again.guide.step(), 1u);
  const views::LessonProgress kept =
      scope::LessonFile(file).progress(QString::fromStdString(again.guide.lesson()->id));
  EXPECT_EQ(kept.done, QStringList{QString::fromStdString(again.guide.lesson()->steps[0].id)});
  again.guide.close();
  EXPECT_TRUE(again.window.lessonPanel()->showsList());
}

TEST(Lessons, AnswersAreChecked) {
  Class of(0);
  const auto& steps = of.guide.lesson()->steps;
  const auto asks =
      std::ranges::find_if(steps, [](const LessonStep& step) { return !step.question.empty(); });
  of.guide.goTo(static_cast<std::size_t>(asks - steps.begin()));
  settle(of.window);
  const views::LessonText text =
      views::lessonText(*of.guide.lesson(), of.guide.step(), of.guide.data());
  const QList<QAbstractButton*> choices = of.window.lessonPanel()->choices();
  ASSERT_EQ(choices.size(), text.choices.size());
  const int wrong = text.right == 0 ? 1 : 0;
  choices[wrong]->click();
  EXPECT_TRUE(of.window.lessonPanel()->answerText().startsWith(QStringLiteral("✗")));
  choices[text.right]->click();
  EXPECT_TRUE(of.window.lessonPanel()->answerText().startsWith(QStringLiteral("✓ Right.")));
}

TEST(Lessons, OpenByNameNumberAndTitle) {
  MainWindow window(services());
  window.show();
  for (const char* name : {"5", "05", "05-budget", "Budget", "\"5 from error budget to BITS\""}) {
    window.lessons()->close();
    window.commands().registry().triggerLine(QStringLiteral("lesson ") + QLatin1String(name));
    ASSERT_TRUE(window.lessons()->lesson()) << name;
    EXPECT_EQ(window.lessons()->lesson()->id, "05-budget") << name;
  }
  settle(window);
  try {
    window.commands().registry().triggerLine(QStringLiteral("lesson 77"));
    ADD_FAILURE() << "there is none";
  } catch (const Error& error) {
    for (const std::string& name : lesson_names()) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << name;
    }
  }
}

TEST(Lessons, ACommandThatFailsLeavesNothingBehind) {
  views::WindowServices broken = services();
  Lesson& lesson = broken.lessons.lessons.front();
  lesson.steps.front().commands = {"n_bits_max = 3", "layer 999"};
  MainWindow window(std::move(broken));
  window.show();
  window.lessons()->open(0);
  settle(window);
  const LessonState before = window.lessons()->state();
  EXPECT_THROW(window.lessons()->showMe(), Error);
  settle(window);
  EXPECT_TRUE(same(window.lessons()->state(), before));
}

TEST(Lessons, AnotherCaptureIsNeverTakenAway) {
  MainWindow window(services());
  window.show();
  const auto names = lesson_names();
  const auto lessonWith = [&](const std::string& capture) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (read_lesson(names[i]).capture == capture) return static_cast<int>(i);
    }
    return -1;
  };
  window.lessons()->open(lessonWith("letter"));
  settle(window);
  const QString letter = window.workspace().path();
  window.lessons()->open(lessonWith("fox"));
  settle(window);
  EXPECT_EQ(window.workspace().path(), letter) << "only offered";
  EXPECT_FALSE(window.lessons()->hasCapture());
  EXPECT_FALSE(window.commands().registry().isEnabled(QStringLiteral("lesson.show")));
  window.lessons()->openCapture();
  settle(window);
  EXPECT_TRUE(window.lessons()->hasCapture());
}

ProgramResult run_scope(std::vector<std::string> words) {
  words.insert(words.begin(), QAQ_PROGRAM);
  return test::run_program(words, {.environment = {"DISPLAY=", "WAYLAND_DISPLAY="}});
}

std::string text_of(const std::string& path) {
  QFile file(QString::fromStdString(path));
  EXPECT_TRUE(file.open(QIODevice::ReadOnly)) << path;
  return file.readAll().toStdString();
}

TEST(HandOut, HoldsTextNumbersPicturesAndAnswers) {
  const TemporaryFolder folder;
  const ProgramResult result = run_scope({"lesson", "5", "--export", folder.file("a.html")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string html = text_of(folder.file("a.html"));
  for (const char* part :
       {"<h1>5 From error budget to bits</h1>", "0.0111", "0.0030", "data:image/png;base64,",
        "<h2>Answers</h2>", "What differs from the paper"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(html.find("{{"), std::string::npos);
  EXPECT_EQ(html.find("src=\"http"), std::string::npos) << "it is one file";
  const ProgramResult without =
      run_scope({"lesson", "05-budget", "--export", folder.file("b.html"), "--no-answers"});
  ASSERT_EQ(without.exit_code, 0) << without.err;
  EXPECT_EQ(text_of(folder.file("b.html")).find("<h2>Answers</h2>"), std::string::npos);
}

TEST(HandOut, RefusesWhatItCannotWrite) {
  const TemporaryFolder folder;
  EXPECT_EQ(run_scope({"lesson", "77", "--export", folder.file("a.html")}).exit_code, 2);
  EXPECT_EQ(run_scope({"lesson", "5"}).exit_code, 2);
  EXPECT_EQ(run_scope({"lesson", "5", "--export", folder.file("a.pdf")}).exit_code, 2);
  EXPECT_EQ(run_scope({"lesson", "5", "--export", folder.file("none/a.html")}).exit_code, 1);
  EXPECT_TRUE(folder.names().empty());
  const ProgramResult list = run_scope({"lesson", "list"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_NE(list.out.find("05-budget"), std::string::npos);
}

}  // namespace
}  // namespace qaq
