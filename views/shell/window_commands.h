#pragma once

#include <QObject>

#include "views/commands/command_registry.h"
#include "views/commands/parameter_edits.h"
#include "views/models/presets.h"
#include "views/shell/view_recorder.h"

namespace qaq::views {

class CheatSheet;
class CommandMenus;
class CommandPalette;
class HelpPanel;
class MainWindow;
class ShortcutEditor;
class ShortcutStore;

/// The commands of the window, and what they open: menus, palette, keys, help. Commands that know
/// no window are in views/commands; those here do. To add a group of commands (a page, a dialog),
/// write a function like them and call it in the constructor, with its menu in addMenus().
class WindowCommands : public QObject {
  Q_OBJECT

 public:
  explicit WindowCommands(MainWindow* window);
  ~WindowCommands() override;

  CommandRegistry& registry() { return m_registry; }
  ParameterEdits& edits() { return m_edits; }
  ViewRecorder& places() { return m_places; }
  CommandPalette* palette() const { return m_palette; }
  CheatSheet* cheatSheet() const { return m_sheet; }
  ShortcutEditor* shortcutEditor() const { return m_editor; }
  HelpPanel* help() const { return m_help; }

  /// A command for each dock of the window, to show and to hide it.
  void addDocks();
  void usePresets(const Presets& presets);
  /// Takes shortcuts from this file, and keeps changed ones in it. A broken one is told in the
  /// status bar.
  void useShortcuts(const QString& path);
  void setTheme(const Theme& theme);

 private:
  void addMenus();
  void addFile();
  void addCopies();
  void addView();
  void addPlaces();
  void addHelp();
  void connectAll();
  void askFor(const QString& command);
  void keepShortcuts();

  MainWindow* m_window;
  Workspace& m_workspace;
  ParameterEdits m_edits;
  ViewRecorder m_places;
  // Gone before those that its commands ask: the undo stack tells of its end.
  CommandRegistry m_registry;
  CommandMenus* m_menus;
  CommandPalette* m_palette;
  CheatSheet* m_sheet;
  ShortcutEditor* m_editor;
  HelpPanel* m_help;
  std::unique_ptr<ShortcutStore> m_store;
};

}  // namespace qaq::views
