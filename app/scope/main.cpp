#include <QApplication>
#include <cstdio>
#include <exception>
#include <new>

#include "app/scope/figure.h"
#include "app/scope/lesson.h"
#include "app/scope/options.h"
#include "app/scope/window.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "views/plots/theme.h"

namespace {

constexpr int kWorkFailed = qaq::exit_code(qaq::ErrorKind::work);
constexpr int kWrongUsage = qaq::exit_code(qaq::ErrorKind::usage);

int report(const qaq::Error& error) {
  std::fprintf(stderr, "qaq-scope: %s\n", error.what());
  return qaq::exit_code(error.kind());
}

int reportUsage(const CLI::ParseError& error) {
  QString line = QString::fromUtf8(error.what()).simplified();
  while (line.endsWith('.')) line.chop(1);
  std::fprintf(stderr, "qaq-scope: %s; see qaq-scope --help\n", qUtf8Printable(line));
  return kWrongUsage;
}

/// Figures and screenshots need no display, and must not fail where there is none.
void useNoDisplay() {
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  // The platform's remarks about missing desktop services are of no use here.
  qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& text) {
    if (type == QtFatalMsg) std::fprintf(stderr, "qaq-scope: %s\n", qUtf8Printable(text));
  });
}

/// Qt would abort without a display; the cure is ours to tell.
void requireDisplay() {
  for (const char* name : {"QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"}) {
    if (qEnvironmentVariableIsSet(name)) return;
  }
  throw qaq::Error(qaq::ErrorKind::work,
                   {.place = "display",
                    .what = "there is none to open the window on",
                    .cure = "draw a file: qaq-scope figure --help, or qaq-scope --screenshot"});
}

int run(int argc, char** argv) {
  CLI::App program{
      "Shows what a KV cache's quantization does to a captured run of a model: bits, outliers and "
      "attention of every token, with every parameter to turn."};
  program.set_version_flag("--version", qaq::cat("qaq-scope ", qaq::program_version(), " (",
                                                 qaq::program_commit(), ")"));
  program.failure_message(CLI::FailureMessage::simple);
  qaq::scope::WindowOptions window;
  qaq::scope::addWindow(program, window);
  qaq::scope::FigureOptions figure;
  const CLI::App* figure_command = qaq::scope::addFigure(program, figure);
  qaq::scope::LessonOptions lesson;
  const CLI::App* lesson_command = qaq::scope::addLesson(program, lesson);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.exit(error);
    return reportUsage(error);
  }
  const bool draws_figure = figure_command->parsed();
  if (draws_figure || lesson_command->parsed() || !window.screenshot.empty() ||
      window.listCommands) {
    useNoDisplay();
  } else {
    requireDisplay();
  }
  QApplication application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("QAQ Scope"));
  QApplication::setApplicationVersion(QString::fromUtf8(qaq::program_version()));
  if (draws_figure) {
    qaq::scope::drawFigure(figure);
    return 0;
  }
  if (lesson_command->parsed()) {
    qaq::scope::runLesson(lesson);
    return 0;
  }
  if (window.listCommands) {
    qaq::scope::listCommands(window);
    return 0;
  }
  return qaq::scope::runWindow(window);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const qaq::Error& error) {
    return report(error);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "qaq-scope: out of memory; open a capture of fewer tokens or layers\n");
    return kWorkFailed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qaq-scope: %s\n", error.what());
    return kWorkFailed;
  }
}
