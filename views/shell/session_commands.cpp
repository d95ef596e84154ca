#include "views/shell/session_commands.h"

#include <QFileInfo>

#include "views/commands/command_registry.h"
#include "views/commands/selection_commands.h"
#include "views/shell/main_window.h"
#include "views/shell/session_keeper.h"

namespace qaq::views {
namespace {

QStringList recentPaths(const MainWindow& window) {
  QStringList paths;
  for (const RecentFile& file : window.services().recent->list()) paths.push_back(file.path);
  return paths;
}

void addSessions(CommandRegistry& registry, MainWindow& window) {
  registry.add({.id = "file.session.open",
                .word = "session",
                .text = MainWindow::tr("Open session…"),
                .help = MainWindow::tr("Opens views, runs, pins and layout as they were saved"),
                .keywords = MainWindow::tr("load restore qaqsession"),
                .menu = "file",
                .arguments = {{.name = "path",
                               .help = MainWindow::tr("The file; left out, it is asked for"),
                               .optional = true}},
                .run = [&window](const CommandArguments& arguments) {
                  const QString path = arguments["path"].toString();
                  if (path.isEmpty()) return window.askForSession();
                  window.sessions()->open(path);
                }});
  const auto blocked = [&window] { return needsCapture(window.workspace()); };
  registry.add({.id = "file.session.save",
                .word = "save",
                .text = MainWindow::tr("Save session"),
                .help = MainWindow::tr("Keeps capture, settings, runs, views and layout in a file"),
                .keywords = MainWindow::tr("store qaqsession"),
                .shortcuts = {QKeySequence::Save},
                .menu = "file",
                .section = "session",
                .arguments = {{.name = "path",
                               .help = MainWindow::tr("The file; left out, the one it has"),
                               .optional = true}},
                .blocked = blocked,
                .run = [&window](const CommandArguments& arguments) {
                  const QString path = arguments["path"].toString();
                  if (path.isEmpty()) return window.saveSession(false);
                  window.sessions()->save(path);
                }});
  registry.add({.id = "file.session.save-as",
                .text = MainWindow::tr("Save session as…"),
                .help = MainWindow::tr("Keeps the session in another file"),
                .keywords = MainWindow::tr("store qaqsession"),
                .shortcuts = {QKeySequence(QStringLiteral("Ctrl+Shift+S"))},
                .menu = "file",
                .section = "session",
                .blocked = blocked,
                .run = [&window](const CommandArguments&) { window.saveSession(true); }});
}

}  // namespace

void addSessionCommands(CommandRegistry& registry, MainWindow& window) {
  if (window.sessions()->canLoad() && window.sessions()->canSave()) addSessions(registry, window);
  if (window.services().recent) {
    registry.add({.id = "file.recent",
                  .word = "recent",
                  .text = MainWindow::tr("Open recent…"),
                  .help = MainWindow::tr("Opens a capture or session that was opened before"),
                  .keywords = MainWindow::tr("history last"),
                  .menu = "file",
                  .arguments = {{.name = "path",
                                 .help = MainWindow::tr("A file that was opened before"),
                                 .kind = CommandArgument::Kind::choice,
                                 .choices = [&window] { return recentPaths(window); }}},
                  .blocked =
                      [&window] {
                        if (!recentPaths(window).isEmpty()) return QString();
                        return MainWindow::tr("no file was opened yet");
                      },
                  .run =
                      [&window](const CommandArguments& arguments) {
                        const QString path = arguments["path"].toString();
                        if (QFileInfo::exists(path)) return window.openFile(path);
                        window.locate(path);
                      }});
  }
  if (window.captureDialog()) {
    registry.add({.id = "file.capture",
                  .word = "capture",
                  .text = MainWindow::tr("Capture from model…"),
                  .help = MainWindow::tr("Runs a model on a text and opens what it captured"),
                  .keywords = MainWindow::tr("run generate prompt gguf"),
                  .menu = "file",
                  .section = "capture",
                  .run = [&window](const CommandArguments&) { window.askForModel(); }});
  }
}

}  // namespace qaq::views
