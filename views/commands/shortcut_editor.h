#pragma once

#include <functional>

#include "views/commands/command_registry.h"
#include "views/commands/overlay_panel.h"

class QKeySequenceEdit;
class QPushButton;
class QTreeWidget;
class QTreeWidgetItem;

namespace qaq::views {

class CommandMenus;

/// Changes shortcuts. One that belongs to another command is said to, and taken away from it only
/// where that is asked for.
class ShortcutEditor : public OverlayPanel {
  Q_OBJECT

 public:
  ShortcutEditor(CommandRegistry* registry, const CommandMenus* menus, QWidget* window);

  void showNow();
  /// Chooses the command whose shortcut is changed.
  void choose(const QString& id);
  void setTheme(const Theme& theme) override;

  QKeySequenceEdit* editor() const { return m_edit; }
  QPushButton* assignButton() const { return m_assign; }
  QString message() const;

 signals:
  /// A shortcut was changed by hand.
  void edited();

 protected:
  QSize wantedSize() const override;
  QWidget* firstFocus() override;

 private:
  void fill();
  QString chosen() const;
  void check();
  void assign();
  void remove();
  void reset(const QStringList& ids);
  void give(const QString& id, const QList<QKeySequence>& keys);

  CommandRegistry* m_registry;
  const CommandMenus* m_menus;
  QTreeWidget* m_tree;
  QKeySequenceEdit* m_edit;
  QPushButton* m_assign;
  QLabel* m_message;
};

}  // namespace qaq::views
