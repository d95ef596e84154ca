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
  QAction* action = entryOf(id, menu);
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

QAction* CommandMenus::entryOf(const QString& id, QMenu* menu) {
  if (!m_registry->find(id)->isListed) return m_registry->action(id);
  // Unseen: behind the choices, which are made when the menu opens.
  auto* end = new QAction(menu);
  end->setObjectName(id);
  end->setVisible(false);
  connect(menu, &QMenu::aboutToShow, this, [this, id, menu, end] { listChoices(id, menu, end); });
  return end;
}

void CommandMenus::listChoices(const QString& id, QMenu* menu, QAction* end) {
  for (QAction* old : menu->findChildren<QAction*>(id + QStringLiteral(".choice"))) delete old;
  const Command& command = *m_registry->find(id);
  const CommandArgument& argument = command.arguments.first();
  const QString now = command.choiceNow ? command.choiceNow() : QString();
  for (const QString& choice : argument.choices()) {
    auto* entry = new QAction(choice, menu);
    entry->setObjectName(id + QStringLiteral(".choice"));
    entry->setCheckable(static_cast<bool>(command.choiceNow));
    entry->setChecked(choice == now);
    entry->setEnabled(m_registry->isEnabled(id));
    connect(entry, &QAction::triggered, this, [this, id, name = argument.name, choice] {
      m_registry->tryTrigger({.id = id, .arguments = {{name, choice}}});
    });
    menu->insertAction(end, entry);
  }
}

}  // namespace qaq::views
