#include "views/shell/window_commands.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QDockWidget>
#include <QMenuBar>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "views/commands/cheat_sheet.h"
#include "views/commands/command_menus.h"
#include "views/commands/command_palette.h"
#include "views/commands/help_panel.h"
#include "views/commands/parameter_commands.h"
#include "views/commands/selection_commands.h"
#include "views/commands/set_commands.h"
#include "views/commands/shortcut_editor.h"
#include "views/commands/shortcut_store.h"
#include "views/panels/cell_facts.h"
#include "views/panels/parameter_panel.h"
#include "views/plots/view_list.h"
#include "views/shell/compare_commands.h"
#include "views/shell/diagnosis_commands.h"
#include "views/shell/export_commands.h"
#include "views/shell/layout_commands.h"
#include "views/shell/lesson_commands.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/session_commands.h"
#include "views/shell/status_line.h"
#include "views/shell/view_help.h"

namespace qaq::views {
namespace {

QKeySequence key(const char* text) { return QKeySequence(QString::fromLatin1(text)); }

void copy(const QString& text) { QApplication::clipboard()->setText(text); }

/// The parameters as a preset, which --preset reads.
QString presetText(const ScopeParams& params) {
  nlohmann::ordered_json preset{
      {"format", "qaq-preset"}, {"version", 1}, {"policy", params.policy}};
  preset["set"] = parameters_json(list_parameters(params));
  return QString::fromStdString(preset.dump(2));
}

PaletteSearch searchOf(CommandRegistry& registry, Workspace& workspace) {
  PaletteSearch search(&registry);
  search.addSource(ParameterCommands::parameters(workspace));
  search.addSource(SelectionCommands::tokens(workspace));
  return search;
}

}  // namespace

WindowCommands::WindowCommands(MainWindow* window)
    : m_window(window),
      m_workspace(window->workspace()),
      m_edits(&m_workspace),
      m_places(&m_workspace, window->page()),
      m_menus(new CommandMenus(window->menuBar(), &m_registry)),
      m_palette(new CommandPalette(&m_registry, searchOf(m_registry, m_workspace), window)),
      m_sheet(new CheatSheet(&m_registry, m_menus, window)),
      m_editor(new ShortcutEditor(&m_registry, m_menus, window)),
      m_help(new HelpPanel(window)) {
  // Shortcuts hold whether or not a menu shows the command.
  connect(&m_registry, &CommandRegistry::added, window,
          [this, window](const QString& id) { window->addAction(m_registry.action(id)); });
  addMenus();
  addFile();
  addSessionCommands(m_registry, *m_window);
  addExportCommands(m_registry, *m_window);
  ParameterCommands::addEdits(m_registry, m_edits, m_workspace);
  addCopies();
  addView();
  addPlaces();
  addLayoutCommands(m_registry, *m_window);
  SelectionCommands::add(m_registry, m_workspace);
  addSetCommands(m_registry, m_workspace, m_window->slices());
  ParameterCommands::addRuns(m_registry, m_workspace);
  addCompareCommands(m_registry, *m_window);
  addDiagnosisCommands(m_registry, *m_window);
  addLessonCommands(m_registry, *m_window);
  addHelp();
  connectAll();
}

WindowCommands::~WindowCommands() = default;

void WindowCommands::addMenus() {
  m_menus->addMenu(QStringLiteral("file"), tr("&File"));
  m_menus->addMenu(QStringLiteral("edit"), tr("&Edit"));
  m_menus->addMenu(QStringLiteral("view"), tr("&View"));
  m_menus->addMenu(QStringLiteral("view/layout"), tr("&Layout"));
  m_menus->addMenu(QStringLiteral("go"), tr("&Go"));
  m_menus->addMenu(QStringLiteral("select"), tr("&Select"));
  m_menus->addMenu(QStringLiteral("run"), tr("&Run"));
  m_menus->addMenu(QStringLiteral("compare"), tr("&Compare"));
  m_menus->addMenu(QStringLiteral("diagnose"), tr("&Diagnose"));
  m_menus->addMenu(QStringLiteral("lessons"), tr("&Lessons"));
  m_menus->addMenu(QStringLiteral("help"), tr("&Help"));
}

void WindowCommands::addFile() {
  m_registry.add({.id = "file.open",
                  .word = "open",
                  .text = tr("Open capture…"),
                  .help = tr("Opens a capture file in place of the one shown"),
                  .keywords = tr("load file h5"),
                  .shortcuts = {QKeySequence::Open},
                  .menu = "file",
                  .arguments = {{.name = "path",
                                 .help = tr("The file; left out, it is asked for"),
                                 .optional = true}},
                  .run = [this](const CommandArguments& arguments) {
                    const QString path = arguments["path"].toString();
                    if (path.isEmpty()) {
                      m_window->askForCapture();
                    } else {
                      m_window->openFile(path);
                    }
                  }});
  m_registry.add({.id = "file.quit",
                  .word = "quit",
                  .text = tr("Quit"),
                  .help = tr("Closes the window; work that runs is stopped"),
                  .keywords = tr("exit close"),
                  .shortcuts = {key("Ctrl+Q")},
                  .menu = "file",
                  .section = "quit",
                  .run = [this](const CommandArguments&) { m_window->close(); }});
}

void WindowCommands::addCopies() {
  const auto add = [this](Command command, auto&& text) {
    command.menu = QStringLiteral("edit");
    command.section = QStringLiteral("copy");
    if (!command.blocked) command.blocked = [this] { return needsCapture(m_workspace); };
    command.run = [text](const CommandArguments& arguments) { copy(text(arguments)); };
    m_registry.add(std::move(command));
  };
  add({.id = "edit.copy.replay",
       .word = "copy-replay",
       .text = tr("Copy as command line"),
       .help = tr("Copies the qaq replay command that makes the same result in a shell"),
       .keywords = tr("terminal shell qaq")},
      [this](const CommandArguments&) { return m_window->replayCommand(); });
  add({.id = "edit.copy.figure",
       .word = "copy-figure",
       .text = tr("Copy command of figure…"),
       .help = tr("Copies the qaq-scope figure command that draws a view as it is shown"),
       .keywords = tr("export picture"),
       .arguments = {{.name = "view",
                      .help = tr("The view to draw"),
                      .kind = CommandArgument::Kind::choice,
                      .choices = viewIds}}},
      [this](const CommandArguments& arguments) {
        return m_window->figureCommand(arguments["view"].toString());
      });
  add({.id = "edit.copy.preset",
       .word = "copy-preset",
       .text = tr("Copy parameters as JSON"),
       .help = tr("Copies all parameters as a preset, which --preset reads from a file"),
       .keywords = tr("settings export"),
       .blocked = [] { return QString(); }},
      [this](const CommandArguments&) { return presetText(m_workspace.params()); });
  add({.id = "edit.copy.cell",
       .word = "copy-cell",
       .text = tr("Copy cell"),
       .help = tr("Copies the coordinate of the locked cell; Go to cell takes it"),
       .keywords = tr("coordinate"),
       .blocked =
           [this] {
             const QString why = needsCapture(m_workspace);
             if (!why.isEmpty() || m_workspace.selection().locked()) return why;
             return tr("no cell is locked; click one");
           }},
      [this](const CommandArguments&) {
        return coordinateText(m_workspace.capture()->info(), *m_workspace.selection().locked());
      });
}

void WindowCommands::addView() {
  m_registry.add({.id = "view.zoom.reset",
                  .word = "zoom-reset",
                  .text = tr("Whole map"),
                  .help = tr("Shows the whole maps"),
                  .keywords = tr("reset zoom fit all"),
                  .shortcuts = {key("0")},
                  .menu = "view",
                  .section = "zoom",
                  .blocked = [this] { return needsCapture(m_workspace); },
                  .run = [this](const CommandArguments&) { m_window->page()->resetZoom(); }});
  m_menus->addMenu(QStringLiteral("view/theme"), tr("&Theme"));
  const auto addTheme = [this](const char* id, const QString& text, const QString& help,
                               MainWindow::ThemeChoice choice) {
    m_registry.add(
        {.id = id,
         .text = text,
         .help = help,
         .keywords = tr("theme colours mode"),
         .menu = "view/theme",
         .checked = [this, choice] { return m_window->themeChoice() == choice; },
         .run = [this, choice](const CommandArguments&) { m_window->setThemeChoice(choice); }});
  };
  addTheme("view.theme.system", tr("Theme of the system"), tr("Light or dark as the desktop is"),
           MainWindow::ThemeChoice::system);
  addTheme("view.theme.light", tr("Light theme"), tr("Dark signs on a light ground"),
           MainWindow::ThemeChoice::light);
  addTheme("view.theme.dark", tr("Dark theme"), tr("Light signs on a dark ground"),
           MainWindow::ThemeChoice::dark);
}

void WindowCommands::addDocks() {
  for (QDockWidget* dock : m_window->findChildren<QDockWidget*>()) {
    m_registry.add({.id = QStringLiteral("view.dock.") + dock->objectName(),
                    .text = dock->windowTitle(),
                    .help = tr("Shows or hides the dock “%1”").arg(dock->windowTitle()),
                    .keywords = tr("dock panel show hide"),
                    .menu = "view",
                    .section = "docks",
                    .blocked = [this] { return needsCapture(m_workspace); },
                    .checked = [dock] { return !dock->isHidden(); },
                    .run =
                        [dock](const CommandArguments&) {
                          dock->setVisible(dock->isHidden());
                          if (!dock->isHidden()) dock->raise();
                        }});
    connect(dock, &QDockWidget::visibilityChanged, &m_registry, [this] { m_registry.refresh(); });
  }
}

void WindowCommands::addPlaces() {
  const auto pages = [this] {
    QStringList titles;
    for (int i = 0; i < m_window->page()->count(); ++i) {
      titles.push_back(m_window->page()->tabText(i));
    }
    return titles;
  };
  m_registry.add({.id = "view.page",
                  .word = "page",
                  .text = tr("Go to page…"),
                  .help = tr("Shows a page of views by its title"),
                  .keywords = tr("tab"),
                  .menu = "view",
                  .section = "pages",
                  .arguments = {{.name = "page",
                                 .help = tr("Title of the page"),
                                 .kind = CommandArgument::Kind::choice,
                                 .choices = pages}},
                  .blocked = [this] { return needsCapture(m_workspace); },
                  .run =
                      [this, pages](const CommandArguments& arguments) {
                        m_window->page()->setCurrentIndex(
                            static_cast<int>(pages().indexOf(arguments["page"].toString())));
                      }});
  m_registry.add({.id = "view.look",
                  .word = "look",
                  .text = tr("Look at view…"),
                  .help = tr("Brings the page or dock that holds a view to the front"),
                  .keywords = tr("show find tab dock"),
                  .menu = "view",
                  .section = "pages",
                  .arguments = {{.name = "view",
                                 .help = tr("A view, as in bits"),
                                 .kind = CommandArgument::Kind::choice,
                                 .choices = viewIds}},
                  .blocked = [this] { return needsCapture(m_workspace); },
                  .run =
                      [this](const CommandArguments& arguments) {
                        m_window->lookAt(arguments["view"].toString());
                      }});
  m_registry.add({.id = "go.back",
                  .word = "back",
                  .text = tr("Back"),
                  .help = tr("Where you looked before: layer, head, lock, zoom, tokens"),
                  .keywords = tr("history view"),
                  .shortcuts = {key("Alt+Left")},
                  .menu = "go",
                  .section = "history",
                  .blocked =
                      [this] {
                        const QString why = needsCapture(m_workspace);
                        if (!why.isEmpty() || m_places.canGoBack()) return why;
                        return tr("this is where you began to look");
                      },
                  .run = [this](const CommandArguments&) { m_places.back(); }});
  m_registry.add({.id = "go.forward",
                  .word = "forward",
                  .text = tr("Forward"),
                  .help = tr("Where you looked before you went back"),
                  .keywords = tr("history view"),
                  .shortcuts = {key("Alt+Right")},
                  .menu = "go",
                  .section = "history",
                  .blocked =
                      [this] {
                        const QString why = needsCapture(m_workspace);
                        if (!why.isEmpty() || m_places.canGoForward()) return why;
                        return tr("you did not go back before");
                      },
                  .run = [this](const CommandArguments&) { m_places.forward(); }});
}

void WindowCommands::addHelp() {
  const auto add = [this](Command command, auto&& act) {
    command.menu = QStringLiteral("help");
    command.run = act;
    return m_registry.add(std::move(command));
  };
  add({.id = "help.palette",
       .word = "palette",
       .text = tr("Commands, tokens, settings…"),
       .help = tr("Finds every command, parameter and token by a few letters"),
       .keywords = tr("search palette"),
       .shortcuts = {key("Ctrl+K"), key("Ctrl+Shift+P")},
       .arguments = {{.name = "query", .help = tr("What to look for"), .optional = true}},
       .isRecalled = false},
      [this](const CommandArguments& arguments) { m_palette->ask(arguments["query"].toString()); })
      ->setIconText(tr("Commands, tokens, settings"));
  add({.id = "help.view",
       .word = "help",
       .text = tr("Help on what has the focus"),
       .help = tr("Explains the view or dock that has the focus"),
       .keywords = tr("explain what is this"),
       .shortcuts = {QKeySequence::HelpContents},
       .arguments = {{.name = "view", .help = tr("A view or dock, as in bits"), .optional = true}}},
      [this](const CommandArguments& arguments) {
        const QString asked = arguments["view"].toString();
        const auto text =
            ViewHelp::of(asked.isEmpty() ? ViewHelp::partOf(m_window->focusWidget()) : asked);
        m_help->tell(text.title, text.paragraphs);
      });
  add({.id = "help.keys",
       .word = "keys",
       .text = tr("Keys"),
       .help = tr("Lists all keys by menu"),
       .keywords = tr("cheat sheet shortcuts keyboard"),
       .shortcuts = {key("?")}},
      [this](const CommandArguments&) { m_sheet->showNow(); });
  add({.id = "help.shortcuts",
       .word = "shortcuts",
       .text = tr("Change shortcuts…"),
       .help = tr("Gives commands other keys"),
       .keywords = tr("keyboard settings edit keys")},
      [this](const CommandArguments&) { m_editor->showNow(); });
  add({.id = "help.about",
       .word = "about",
       .text = tr("About QAQ Scope"),
       .help = tr("Tells version and licence"),
       .keywords = tr("version licence"),
       .section = "about"},
      [this](const CommandArguments&) { m_window->about(); });
}

void WindowCommands::connectAll() {
  connect(&m_registry, &CommandRegistry::argumentsWanted, this, &WindowCommands::askFor);
  connect(&m_registry, &CommandRegistry::refused, m_window->status(), &StatusLine::setError);
  connect(m_editor, &ShortcutEditor::edited, this, &WindowCommands::keepShortcuts);
  ParameterPanel* parameters = m_window->parameters();
  connect(parameters, &ParameterPanel::edited, &m_edits, &ParameterEdits::editedByHand);
  connect(&m_edits, &ParameterEdits::applied, parameters, &ParameterPanel::showParams);
  connect(parameters, &ParameterPanel::copyRequested, m_registry.action("edit.copy.replay"),
          &QAction::trigger);
  connect(&m_registry, &CommandRegistry::ran, m_window, &MainWindow::showSettings);
  const auto refresh = [this] { m_registry.refresh(); };
  const SelectionModel& selection = m_workspace.selection();
  connect(&selection, &SelectionModel::hoverChanged, this, refresh);
  connect(&selection, &SelectionModel::lockChanged, this, refresh);
  connect(&m_workspace, &Workspace::opened, this, refresh);
  connect(&m_workspace, &Workspace::changed, this, refresh);
  connect(&m_workspace.runner(), &ReplayRunner::started, this, refresh);
  connect(&m_workspace.runner(), &ReplayRunner::settled, this, refresh);
  connect(&m_places, &ViewRecorder::changed, this, refresh);
  connect(parameters, &ParameterPanel::liveChanged, this, refresh);
}

void WindowCommands::askFor(const QString& id) {
  const Command* command = m_registry.find(id);
  m_palette->ask((command->word.isEmpty() ? command->id : command->word) + QLatin1Char(' '));
}

void WindowCommands::usePresets(const Presets& presets) {
  ParameterCommands::addPresets(m_registry, m_edits, m_workspace, presets);
}

void WindowCommands::useShortcuts(const QString& path) {
  m_store = std::make_unique<ShortcutStore>(path);
  try {
    m_store->load(m_registry);
  } catch (const Error& error) {
    m_window->status()->setError(QString::fromUtf8(error.what()));
  }
}

void WindowCommands::keepShortcuts() {
  if (!m_store) return;
  try {
    m_store->save(m_registry);
  } catch (const Error& error) {
    m_window->status()->setError(QString::fromUtf8(error.what()));
  }
}

void WindowCommands::setTheme(const Theme& theme) {
  for (OverlayPanel* panel :
       std::initializer_list<OverlayPanel*>{m_palette, m_sheet, m_editor, m_help}) {
    panel->setTheme(theme);
  }
  m_registry.refresh();
}

}  // namespace qaq::views
