#include "views/commands/command_menus.h"

#include <QMenu>
#include <QMenuBar>

#include "views/commands/command_registry.h"

namespace qaq::views {

CommandMenus::CommandMenus(QMenuBar* bar, CommandRegistry* registry)
    : QObject(bar), m_bar(bar), m_registry(registry) {
  connect(registry, &CommandRegistry::added, this, &CommandMenus::insert);
}

void CommandMenus::addMenu(const QString& id, const QString& title) {
  const qsizetype slash = id.lastIndexOf(QLatin1Char('/'));
  QMenu* parent = slash < 0 ? nullptr : m_menus.value(id.left(slash));
  if (parent && !parent->isEmpty()) parent->addSeparator();
  QMenu* menu = parent ? parent->addMenu(title) : m_bar->addMenu(title);
  menu->menuAction()->setVisible(false);
  m_menus.insert(id, menu);
  if (!parent) m_order.push_back(id);
}

QString CommandMenus::titleOf(const QString& id) const {
  const QMenu* menu = m_menus.value(id.section(QLatin1Char('/'), 0, 0));
  return menu ? menu->title().remove(QLatin1Char('&')) : QString();
}

void CommandMenus::insert(const QString& id) {
  const Command* command = m_registry->find(id);
  QMenu* menu = m_menus.value(command->menu);
  if (!menu) return;
  QAction* action = m_registry->action(id);
  // Behind the last of its section, else at the end behind a separator.
  QAction* last = nullptr;
  for (QAction* other : menu->actions()) {
    const Command* neighbour = m_registry->find(other->objectName());
    if (neighbour && neighbour->section == command->section) last = other;
  }
  if (last) {
    const qsizetype at = menu->actions().indexOf(last) + 1;
    menu->insertAction(menu->actions().value(at), action);
  } else {
    if (!menu->isEmpty()) menu->addSeparator();
    menu->addAction(action);
  }
  menu->menuAction()->setVisible(true);
}

}  // namespace qaq::views
