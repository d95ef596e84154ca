#include "app/scope/window.h"

#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QSaveFile>
#include <QStandardPaths>
#include <QThread>
#include <cstdio>
#include <map>

#include "app/scope/capture_service.h"
#include "app/scope/command_list.h"
#include "app/scope/diagnosis_service.h"
#include "app/scope/lesson_services.h"
#include "app/scope/recent_files.h"
#include "app/scope/recovery.h"
#include "app/scope/samples.h"
#include "app/scope/session_state.h"
#include "app/scope/state_folder.h"
#include "app/scope/stored_runs.h"
#include "app/scope/table_writer.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/capture/capture_file.h"
#include "data/capture/run_name.h"
#include "data/presets/preset.h"
#include "views/panels/parameter_panel.h"
#include "views/shell/main_window.h"
#include "views/shell/session_keeper.h"
#include "views/shell/status_line.h"
#include "views/shell/window_commands.h"

namespace qaq::scope {
namespace {

using views::MainWindow;

MainWindow::ThemeChoice themeChoice(const std::string& name) {
  if (name == "dark") return MainWindow::ThemeChoice::dark;
  return name == "light" ? MainWindow::ThemeChoice::light : MainWindow::ThemeChoice::system;
}

/// Throws what the window refuses.
void throwRefusal(MainWindow& window, const WindowOptions& options) {
  const QString error = window.status()->errorText();
  if (error.isEmpty()) return;
  throw Error(ErrorKind::usage, {.file = options.file, .what = error.mid(2).toStdString()});
}

/// Throws Error{usage} that names the command.
void runCommands(MainWindow& window, const WindowOptions& options) {
  for (const std::string& command : options.commands) {
    settle(window);
    throwRefusal(window, options);
    try {
      window.commands().registry().triggerLine(QString::fromStdString(command));
    } catch (const Error& error) {
      throw error.with_file("--do '" + command + "'");
    }
  }
  settle(window);
}

QString configFile(const char* name) {
  const QString folder = QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation);
  return QDir(folder).filePath(QStringLiteral("qaq-scope/") + QLatin1String(name));
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
  auto given = settingFlags(options.common);
  given.emplace_back("--cell", !options.cell.empty());
  for (const auto& [flag, isGiven] : given) {
    if (!isGiven) continue;
    refuse_usage({.place = flag,
                  .what = "does not go with a session",
                  .cure = "leave it out: the session has its own settings"});
  }
}

/// B of --compare. Throws Error{usage} where there is no capture to hold it against.
RunName comparedName(const WindowOptions& options) {
  if (!options.file.empty() && !options.file.ends_with(".qaqsession")) {
    return parse_run_name(options.compare);
  }
  refuse_usage({.place = "--compare",
                .what = "has no capture before it to be held against",
                .cure = "write qaq-scope A.h5 --compare B.h5"});
}

views::WindowServices servicesOf(const WindowOptions& options) {
  views::WindowServices services{.openCapture = {}};
  services.sessions = sessionFiles();
  services.samples = bundledSamples();
  services.capture = captureMaker();
  services.diagnosis = diagnosisMaker();
  // A picture of a file is the same whatever was done before, and leaves no trace.
  const bool isPictureOfFile = !options.screenshot.empty() && !options.file.empty();
  const bool keepsLessons = options.screenshot.empty();
  services.lessons = lessonServices(
      keepsLessons ? QDir(stateFolder()).filePath(QStringLiteral("lessons.json")) : QString());
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

views::Presets bundledPresets() {
  return {.names = preset_names(), .apply = [](const std::string& name, ScopeParams& params) {
            apply_preset(name, params);
          }};
}

void settle(MainWindow& window) {
  // Finished work is posted to this thread: quiet is only what stays quiet.
  for (int quiet = 0; quiet < 5; quiet = window.isSettled() ? quiet + 1 : 0) {
    QApplication::processEvents(QEventLoop::AllEvents, 50);
    QThread::msleep(10);
  }
}

void addWindow(CLI::App& program, WindowOptions& options) {
  program.add_option("file", options.file, "A capture or a session (.qaqsession) to open");
  program.add_option(
      "--compare", options.compare,
      "Show this, B, held against the file before it, A; each FILE or FILE#RUN. An A "
      "without a run is its whole cache where both are one file, else what B's "
      "setting makes of it");
  program.add_flag("--restore", options.restore,
                   "Take back the session of a window that ended without closing");
  program.add_option("--screenshot", options.screenshot,
                     "Write a picture of the window (.png) and leave; needs no display");
  program.add_option("--cell", options.cell, "Lock key|value,LAYER,KV_HEAD,TOKEN[,STEP]");
  program
      .add_option("--do", options.commands,
                  "A command of the window, as in --do \"layer 14\"; repeatable, each once the "
                  "window has settled")
      ->allow_extra_args(false);
  auto* list =
      program.add_flag("--list-commands", options.listCommands, "List what --do takes and leave");
  program.add_flag("--json", options.json, "The list as one JSON document")->needs(list);
  addOptions(program, options.common);
  program.footer(
      "Examples:\n"
      "  qaq-scope story.h5\n"
      "  qaq-scope story.h5 --do \"window = 8\" --do \"find lighthouse\" --screenshot w.png\n"
      "  qaq-scope story.h5#paper --compare story.h5#tight\n"
      "  qaq-scope cpu.h5 --compare gpu.h5\n"
      "  qaq-scope --list-commands");
}

int runWindow(const WindowOptions& options) {
  ScopeParams params = paramsOf(options.common);
  std::int64_t prefix = options.common.prefix;
  const auto cell = cellOf(options.cell);
  const auto size = sizeOf(options.common);
  const RunName a = options.compare.empty() ? RunName() : parse_run_name(options.file);
  const RunName b = options.compare.empty() ? RunName{options.file, ""} : comparedName(options);
  if (!b.run.empty()) takeRun(b, options.common, params, prefix);
  const QString file = QString::fromStdString(b.file);
  const bool isSession = file.endsWith(QLatin1String(".qaqsession"), Qt::CaseInsensitive);
  if (isSession) checkSessionFlags(options);
  const bool screenshot = !options.screenshot.empty();
  // A refused file is of no use to a picture or to commands: refuse it as the command line does.
  std::map<std::string, std::shared_ptr<const CaptureView>> opened;
  if ((screenshot || !options.commands.empty()) && !file.isEmpty()) {
    const std::string path =
        isSession ? openSession(options.file).state.capture.toStdString() : b.file;
    opened[path] = open_capture(path);
    if (!a.file.empty() && !opened.contains(a.file)) opened[a.file] = open_capture(a.file);
  }
  if (!a.run.empty()) load_run(a.file, a.run);  // refused before there is a window
  views::WindowServices services = servicesOf(options);
  services.openCapture = [opened](const std::string& wanted, const Work& work) {
    const auto known = opened.find(wanted);
    return known != opened.end() ? known->second : open_capture(wanted, work);
  };
  MainWindow window(std::move(services));
  window.setRunReader(storedRuns);
  window.setTableWriter(writeTable);
  window.commands().usePresets(bundledPresets());
  // Pictures do not depend on who takes them.
  if (!screenshot) {
    window.commands().useShortcuts(configFile("shortcuts.json"));
    window.useLayouts(configFile("layouts.json"));
  }
  window.setThemeChoice(themeChoice(options.common.theme));
  window.setSettings(params, prefix);
  if (size) window.resize(*size);
  if (screenshot) window.sessions()->pause();
  window.show();
  if (options.restore) {
    window.sessions()->restore();
  } else {
    window.offerRecovery();
  }
  if (!a.file.empty()) {
    window.openCompared(QString::fromStdString(a.file), QString::fromStdString(a.run), file, cell);
  } else if (cell) {
    window.workspace().open(file, cell);
  } else if (!file.isEmpty()) {
    window.openFile(file);
  }
  if (screenshot || !options.commands.empty()) runCommands(window, options);
  if (screenshot) {
    throwRefusal(window, options);
    if (size && window.size() != *size) {
      // A presentation took the whole of a screen that nobody sees.
      window.resize(*size);
      settle(window);
    }
    saveScreenshot(window, QString::fromStdString(options.screenshot));
    return 0;
  }
  // A command may have closed it.
  return window.isVisible() ? QApplication::exec() : 0;
}

void listCommands(const WindowOptions& options) {
  views::WindowServices services{.openCapture = [](const std::string& path, const Work& work) {
    return open_capture(path, work);
  }};
  services.lessons = lessonServices({});
  MainWindow window(std::move(services));
  window.commands().usePresets(bundledPresets());
  const auto text = options.json ? commandsJson(window.commands().registry())
                                 : commandsText(window.commands().registry());
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace qaq::scope
