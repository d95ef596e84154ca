#include "app/scope/window.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QSaveFile>
#include <QThread>

#include "app/scope/stored_runs.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/capture/capture_file.h"
#include "views/panels/parameter_panel.h"
#include "views/shell/main_window.h"
#include "views/shell/status_line.h"

namespace qaq::scope {
namespace {

using views::MainWindow;

MainWindow::ThemeChoice themeChoice(const std::string& name) {
  if (name == "dark") return MainWindow::ThemeChoice::dark;
  return name == "light" ? MainWindow::ThemeChoice::light : MainWindow::ThemeChoice::system;
}

/// Lets the window work until nothing is left to do.
void settle(MainWindow& window) {
  // Finished work is posted to this thread: quiet is only what stays quiet.
  for (int quiet = 0; quiet < 5; quiet = window.isSettled() ? quiet + 1 : 0) {
    QApplication::processEvents(QEventLoop::AllEvents, 50);
    QThread::msleep(10);
  }
}

void saveScreenshot(MainWindow& window, const QString& path) {
  if (QFileInfo(path).suffix().toLower() != QLatin1String("png")) {
    refuse_usage({.place = "--screenshot",
                  .what = cat("'", path.toStdString(), "' is no name of a picture"),
                  .cure = "end it in .png"});
  }
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly) || !window.grab().save(&file, "PNG") || !file.commit()) {
    throw Error(ErrorKind::work, {.file = path.toStdString(),
                                  .what = "cannot be written: " + file.errorString().toStdString(),
                                  .cure = "choose a folder that exists and can be written to"});
  }
}

}  // namespace

void addWindow(CLI::App& program, WindowOptions& options) {
  program.add_option("file", options.capture, "A capture to open");
  program.add_option("--screenshot", options.screenshot,
                     "Write a picture of the window (.png) and leave; needs no display");
  program.add_option("--cell", options.cell, "Lock key|value,LAYER,KV_HEAD,TOKEN[,STEP]");
  addOptions(program, options.common);
}

int runWindow(const WindowOptions& options) {
  const ScopeParams params = paramsOf(options.common);
  validate(params.qaq);
  const auto cell = cellOf(options.cell);
  const auto size = sizeOf(options.common);
  const QString file = QString::fromStdString(options.capture);
  const bool screenshot = !options.screenshot.empty();
  // A picture of a refused file is of no use: refuse it as the command line does.
  std::shared_ptr<const CaptureView> opened;
  if (screenshot && !file.isEmpty()) opened = open_capture(options.capture);

  MainWindow window([opened](const std::string& path, const Work& work) {
    return opened ? opened : open_capture(path, work);
  });
  window.setRunReader(storedRuns);
  window.setThemeChoice(themeChoice(options.common.theme));
  window.setSettings(params, options.common.prefix);
  if (size) window.resize(*size);
  window.show();
  if (!file.isEmpty()) window.workspace().open(file, cell);
  if (!screenshot) return QApplication::exec();
  settle(window);
  const QString error = window.status()->errorText();
  if (!error.isEmpty()) {
    throw Error(ErrorKind::usage, {.file = options.capture, .what = error.mid(2).toStdString()});
  }
  saveScreenshot(window, QString::fromStdString(options.screenshot));
  return 0;
}

}  // namespace qaq::scope
