#include "app/scope/lesson.h"

#include <QApplication>
#include <QBuffer>
#include <algorithm>
#include <cstdio>

#include "app/scope/lesson_services.h"
#include "app/scope/window.h"
#include "core/analysis/report_page.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/capture/capture_file.h"
#include "data/files/whole_file.h"
#include "data/lessons/lesson_file.h"
#include "views/models/provenance.h"
#include "views/plots/chart_plot.h"
#include "views/plots/chart_words.h"
#include "views/plots/figure_renderer.h"
#include "views/shell/lesson_guide.h"
#include "views/shell/main_window.h"
#include "views/shell/window_commands.h"

namespace qaq::scope {
namespace {

using views::LessonGuide;
using views::MainWindow;

constexpr int kPictureScale = 2;  // dots a px

QString tr(const char* text) { return QCoreApplication::translate("HandOut", text); }

QString pictureHtml(const QString& name, const QImage& image) {
  QByteArray png;
  QBuffer buffer(&png);
  buffer.open(QIODevice::WriteOnly);
  image.save(&buffer, "PNG");
  return QStringLiteral("<img alt=\"%1\" width=\"%2\" src=\"data:image/png;base64,%3\">\n")
      .arg(name)
      .arg(image.width() / kPictureScale)
      .arg(QString::fromLatin1(png.toBase64()));
}

QString chartOf(const Chart& chart) {
  views::ChartPlot plot;
  plot.setChart(chart);
  return pictureHtml(views::chartWords(chart.title).toHtmlEscaped(),
                     views::chartPage(plot, {.scale = kPictureScale}).image());
}

QString pictureOf(const QString& view, MainWindow& window) {
  const views::SharedSlice& shown = window.workspace().shown();
  views::FigureRenderer renderer(
      view, shown,
      {.scale = kPictureScale,
       .provenance = QString::fromStdString(views::provenanceText(*shown->analysis)),
       .fewColors = true},
      window.workspace().selection().locked());
  return pictureHtml(view, renderer.image());
}

/// The lesson in a window of its own, as somebody goes through it who always presses "Show me".
class HandOut {
 public:
  explicit HandOut(bool answers) : m_withAnswers(answers) {}

  QString make(MainWindow& window, int index) {
    window.show();
    LessonGuide& guide = *window.lessons();
    guide.open(index);
    settle(window);
    for (std::size_t step = 0; step < guide.lesson()->steps.size(); ++step) {
      guide.goTo(step);
      settle(window);
      // The text is read before anything is done; picture and question are about what was done.
      const QString body = views::lessonText(*guide.lesson(), guide.step(), guide.data()).body;
      if (!guide.currentStep().commands.empty()) guide.showMe();
      settle(window);
      addStep(window, guide, body);
    }
    if (m_withAnswers && !m_answers.isEmpty()) {
      m_body += QStringLiteral("<h2>%1</h2>\n").arg(tr("Answers")) + m_answers;
    }
    return QString::fromStdString(html_frame(guide.lesson()->title, m_body.toStdString()));
  }

 private:
  void addStep(MainWindow& window, const LessonGuide& guide, const QString& body) {
    const LessonStep& step = guide.currentStep();
    const views::LessonText text = views::lessonText(*guide.lesson(), guide.step(), guide.data());
    m_body += QStringLiteral("<h2>%1. %2</h2>\n")
                  .arg(guide.step() + 1)
                  .arg(QString::fromStdString(step.title).toHtmlEscaped()) +
              views::lessonHtml(body);
    if (text.chart) m_body += chartOf(*text.chart);
    if (!step.picture.empty()) m_body += pictureOf(QString::fromStdString(step.picture), window);
    if (!text.question.isEmpty()) addQuestion(guide.step() + 1, text);
    if (guide.step() + 1 == guide.lesson()->steps.size())
      m_body += views::lessonHtml(text.comparison);
  }

  void addQuestion(std::size_t number, const views::LessonText& text) {
    m_body += views::lessonHtml(text.question) + QStringLiteral("<ol class=\"choices\">\n");
    for (const QString& choice : text.choices) {
      m_body += QStringLiteral("<li>%1</li>\n").arg(choice.toHtmlEscaped());
    }
    m_body += QStringLiteral("</ol>\n");
    const QChar letter(static_cast<char16_t>(u'A' + text.right));
    m_answers += QStringLiteral("<p><b>%1: %2</b></p>\n").arg(number).arg(letter) +
                 views::lessonHtml(text.why);
  }

  bool m_withAnswers;
  QString m_body, m_answers;
};

void listLessons() {
  for (const std::string& name : lesson_names()) {
    std::printf("%-20s %s\n", name.c_str(), read_lesson(name).title.c_str());
  }
}

}  // namespace

CLI::App* addLesson(CLI::App& program, LessonOptions& options) {
  CLI::App* lesson =
      program.add_subcommand("lesson", "Write a lesson's hand-out, without a display");
  lesson
      ->add_option("name", options.name, "list: all lessons; else one by its name, number or title")
      ->required();
  lesson->add_option("--export", options.output, "The file to write, a name that ends in .html");
  lesson->add_flag("--no-answers", options.noAnswers, "Leave the answers out");
  lesson->footer(
      "Examples:\n"
      "  qaq-scope lesson list\n"
      "  qaq-scope lesson 5 --export budget.html --no-answers");
  return lesson;
}

void runLesson(const LessonOptions& options) {
  if (options.name == "list") return listLessons();
  const Lesson lesson = read_lesson(options.name);
  if (options.output.empty()) {
    refuse_usage({.place = "--export", .what = "is missing", .cure = "name the file to write"});
  }
  if (!QString::fromStdString(options.output).endsWith(QLatin1String(".html"))) {
    refuse_usage({.place = "--export",
                  .what = cat("'", options.output, "' is no name of a page"),
                  .cure = "end it in .html"});
  }
  views::WindowServices services{.openCapture = [](const std::string& path, const Work& work) {
    return open_capture(path, work);
  }};
  services.lessons = lessonServices({});
  if (services.lessons.samplePath(lesson.capture).isEmpty()) {
    throw Error(ErrorKind::work, {.file = lesson.capture + ".h5",
                                  .what = "is not there, and the lesson needs it",
                                  .cure = "install the samples beside the program"});
  }
  const auto names = lesson_names();
  const auto index = std::ranges::find(names, lesson.id) - names.begin();
  MainWindow window(std::move(services));
  window.commands().usePresets(bundledPresets());
  window.setThemeChoice(MainWindow::ThemeChoice::light);
  write_whole(options.output,
              HandOut(!options.noAnswers).make(window, static_cast<int>(index)).toStdString());
}

}  // namespace qaq::scope
