#include "app/scope/window.h"

#include <QApplication>
#include <QDir>
#include <QFileInfo>
#include <QSaveFile>
#include <QThread>

#include "app/scope/capture_service.h"
#include "app/scope/recent_files.h"
#include "app/scope/recovery.h"
#include "app/scope/samples.h"
#include "app/scope/session_state.h"
#include "app/scope/state_folder.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/capture/capture_file.h"
#include "views/panels/parameter_panel.h"
#include "views/shell/main_window.h"
#include "views/shell/session_keeper.h"
#include "views/shell/status_line.h"

namespace qaq::scope {
namespace {

using views::MainWindow;

std::optional<views::Cursor> parseCell(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const QStringList parts = QString::fromStdString(text).split(QLatin1Char(','));
  const bool named =
      parts.first() == QLatin1String("key") || parts.first() == QLatin1String("value");
  bool whole = named && (parts.size() == 4 || parts.size() == 5);
  std::vector<int> numbers;
  for (int i = 1; i < parts.size() && whole; ++i) {
    numbers.push_back(parts[i].toInt(&whole));
    whole = whole && numbers.back() >= 0;
  }
  if (!whole) {
    refuse_usage({.place = "--cell",
                  .what = cat("'", text, "' is no cell"),
                  .cure = "give key|value,LAYER,KV_HEAD,TOKEN[,STEP], as in value,14,1,56"});
  }
  return views::Cursor{
      .side = parts.first() == QLatin1String("key") ? CacheSide::key : CacheSide::value,
      .layer = numbers[0],
      .kvHead = numbers[1],
      .token = numbers[2],
      .step = numbers.size() > 3 ? numbers[3] : views::Cursor::kNone};
}

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

void checkSessionFlags(const WindowOptions& options) {
  const std::pair<const char*, bool> given[]{{"--cell", !options.cell.empty()},
                                             {"--preset", !options.common.preset.empty()},
                                             {"--set", !options.common.assignments.empty()},
                                             {"--prefix", options.common.prefix != 0}};
  for (const auto& [flag, isGiven] : given) {
    if (!isGiven) continue;
    refuse_usage({.place = flag,
                  .what = "does not go with a session",
                  .cure = "leave it out: the session has its own settings"});
  }
}

views::WindowServices servicesOf(const WindowOptions& options) {
  views::WindowServices services{.openCapture = {}};
  services.sessions = sessionFiles();
  services.samples = bundledSamples();
  services.capture = captureMaker();
  // A picture of a file is the same whatever was done before, and leaves no trace.
  const bool isPictureOfFile = !options.screenshot.empty() && !options.file.empty();
  if (!isPictureOfFile) {
    const QDir state(stateFolder());
    services.recent =
        std::make_shared<RecentFileList>(state.filePath(QStringLiteral("recent.json")));
    services.recovery =
        std::make_shared<RecoveryFolder>(state.filePath(QStringLiteral("sessions")));
  }
  return services;
}

}  // namespace

void addWindow(CLI::App& program, WindowOptions& options) {
  program.add_option("file", options.file, "A capture or a session (.qaqsession) to open");
  program.add_flag("--restore", options.restore,
                   "Take back the session of a window that ended without closing");
  program.add_option("--screenshot", options.screenshot,
                     "Write a picture of the window (.png) and leave; needs no display");
  program.add_option("--cell", options.cell, "Lock key|value,LAYER,KV_HEAD,TOKEN[,STEP]");
  addOptions(program, options.common);
}

int runWindow(const WindowOptions& options) {
  const ScopeParams params = paramsOf(options.common);
  validate(params.qaq);
  const auto cell = parseCell(options.cell);
  const auto size = sizeOf(options.common);
  const QString file = QString::fromStdString(options.file);
  const bool isSession = file.endsWith(QLatin1String(".qaqsession"), Qt::CaseInsensitive);
  if (isSession) checkSessionFlags(options);
  const bool screenshot = !options.screenshot.empty();
  // A picture of a refused file is of no use: refuse it as the command line does.
  std::shared_ptr<const CaptureView> opened;
  std::string path = options.file;
  if (screenshot && !file.isEmpty()) {
    if (isSession) path = openSession(options.file).state.capture.toStdString();
    opened = open_capture(path);
  }
  views::WindowServices services = servicesOf(options);
  services.openCapture = [opened, path](const std::string& wanted, const Work& work) {
    return opened && wanted == path ? opened : open_capture(wanted, work);
  };
  MainWindow window(std::move(services));
  window.setThemeChoice(themeChoice(options.common.theme));
  window.setSettings(params, options.common.prefix);
  if (size) window.resize(*size);
  if (screenshot) window.sessions()->pause();
  window.show();
  if (options.restore) {
    window.sessions()->restore();
  } else {
    window.offerRecovery();
  }
  if (cell) {
    window.workspace().open(file, cell);
  } else if (!file.isEmpty()) {
    window.openFile(file);
  }
  if (!screenshot) return QApplication::exec();
  settle(window);
  const QString error = window.status()->errorText();
  if (!error.isEmpty()) {
    throw Error(ErrorKind::usage, {.file = options.file, .what = error.mid(2).toStdString()});
  }
  saveScreenshot(window, QString::fromStdString(options.screenshot));
  return 0;
}

}  // namespace qaq::scope
