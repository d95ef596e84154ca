#pragma once

#include <QHash>
#include <QObject>
#include <QStringList>

class QAction;
class QMenu;
class QMenuBar;

namespace qaq::views {

class CommandRegistry;

/// The menus of a menu bar, filled from a registry: commands go into the menu that they name, in
/// the order of their sections' first commands. Menus appear in the order in which they are added;
/// one without commands is not shown.
class CommandMenus : public QObject {
  Q_OBJECT

 public:
  CommandMenus(QMenuBar* bar, CommandRegistry* registry);

  /// `id` is what commands name; one inside another is "view/theme".
  void addMenu(const QString& id, const QString& title);
  /// The menus of the bar, in their order.
  const QStringList& order() const { return m_order; }
  /// Of the menu of the bar that holds `id`, as people read it; empty: there is none.
  QString titleOf(const QString& id) const;

 private:
  void insert(const QString& command);
  /// What stands for a command in its menu.
  QAction* entryOf(const QString& command, QMenu* menu);
  void listChoices(const QString& command, QMenu* menu, QAction* end);

  QMenuBar* m_bar;
  CommandRegistry* m_registry;
  QHash<QString, QMenu*> m_menus;
  QStringList m_order;
};

}  // namespace qaq::views
