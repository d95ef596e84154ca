#include "views/commands/shortcut_editor.h"

#include <QHeaderView>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include "views/commands/command_menus.h"

namespace qaq::views {
namespace {

constexpr int kWidth = 720, kHeight = 600;
constexpr int kCommand = 0, kMenu = 1, kKeys = 2;  // columns
constexpr int kId = Qt::UserRole;

}  // namespace

ShortcutEditor::ShortcutEditor(CommandRegistry* registry, const CommandMenus* menus,
                               QWidget* window)
    : OverlayPanel(tr("Shortcuts"), window),
      m_registry(registry),
      m_menus(menus),
      m_tree(new QTreeWidget),
      m_edit(new QKeySequenceEdit),
      m_assign(new QPushButton(tr("Assign"))),
      m_message(new QLabel) {
  m_tree->setHeaderLabels({tr("Command"), tr("Menu"), tr("Shortcut")});
  m_tree->setAccessibleName(tr("Commands and their shortcuts"));
  m_tree->setRootIsDecorated(false);
  m_tree->setFrameShape(QFrame::NoFrame);
  m_tree->header()->setSectionResizeMode(kCommand, QHeaderView::Stretch);
  m_tree->header()->setSectionResizeMode(kMenu, QHeaderView::ResizeToContents);
  m_tree->header()->setSectionResizeMode(kKeys, QHeaderView::ResizeToContents);
  m_tree->header()->setStretchLastSection(false);
  m_edit->setAccessibleName(tr("New shortcut"));
  m_message->setWordWrap(true);
  auto* none = new QPushButton(tr("None"));
  auto* reset = new QPushButton(tr("As shipped"));
  auto* resetAll = new QPushButton(tr("All as shipped"));
  auto* row = new QHBoxLayout;
  auto* label = new QLabel(tr("New shortcut"));
  label->setBuddy(m_edit);
  row->addWidget(label);
  row->addWidget(m_edit, 1);
  for (QPushButton* button : {m_assign, none, reset, resetAll}) row->addWidget(button);
  body()->addWidget(m_tree, 1);
  body()->addLayout(row);
  body()->addWidget(m_message);
  connect(m_tree, &QTreeWidget::currentItemChanged, this, [this] {
    m_edit->clear();
    check();
  });
  connect(m_edit, &QKeySequenceEdit::keySequenceChanged, this, &ShortcutEditor::check);
  connect(m_assign, &QPushButton::clicked, this, &ShortcutEditor::assign);
  connect(none, &QPushButton::clicked, this, &ShortcutEditor::remove);
  connect(reset, &QPushButton::clicked, this, [this] { this->reset({chosen()}); });
  connect(resetAll, &QPushButton::clicked, this, [this] {
    QStringList ids;
    for (const Command* command : m_registry->all()) ids.push_back(command->id);
    this->reset(ids);
  });
}

QSize ShortcutEditor::wantedSize() const { return {kWidth, kHeight}; }
QWidget* ShortcutEditor::firstFocus() { return m_tree; }
QString ShortcutEditor::message() const { return m_message->text(); }

void ShortcutEditor::showNow() {
  fill();
  open();
}

void ShortcutEditor::fill() {
  const QString before = chosen();
  m_tree->clear();
  for (const Command* command : m_registry->all()) {
    auto* item = new QTreeWidgetItem(m_tree, {command->text, m_menus->titleOf(command->menu),
                                              shortcutsText(m_registry->shortcuts(command->id))});
    item->setData(kCommand, kId, command->id);
    item->setToolTip(kCommand, command->help);
  }
  choose(before);
}

void ShortcutEditor::choose(const QString& id) {
  for (int i = 0; i < m_tree->topLevelItemCount(); ++i) {
    QTreeWidgetItem* item = m_tree->topLevelItem(i);
    if (item->data(kCommand, kId).toString() == id || (id.isEmpty() && i == 0)) {
      m_tree->setCurrentItem(item);
    }
  }
}

QString ShortcutEditor::chosen() const {
  const QTreeWidgetItem* item = m_tree->currentItem();
  return item ? item->data(kCommand, kId).toString() : QString();
}

void ShortcutEditor::check() {
  const QKeySequence whole = m_edit->keySequence();
  if (whole.count() > 1) {
    // One stroke: what was pressed last counts.
    m_edit->setKeySequence(QKeySequence(whole[static_cast<uint>(whole.count() - 1)]));
    return;
  }
  const Command* holder = whole.isEmpty() ? nullptr : m_registry->holderOf(whole);
  const bool taken = holder && holder->id != chosen();
  m_assign->setEnabled(!whole.isEmpty());
  m_assign->setText(taken ? tr("Take over") : tr("Assign"));
  m_message->setText(taken ? tr("⚠ %1 belongs to “%2”: press another, or take it over")
                                 .arg(whole.toString(QKeySequence::NativeText), holder->text)
                           : QString());
}

void ShortcutEditor::give(const QString& id, const QList<QKeySequence>& keys) {
  for (const QKeySequence& key : keys) {
    while (const Command* holder = m_registry->holderOf(key)) {
      if (holder->id == id) break;
      QList<QKeySequence> left = m_registry->shortcuts(holder->id);
      left.removeIf([&](const QKeySequence& held) {
        return held.matches(key) != QKeySequence::NoMatch ||
               key.matches(held) != QKeySequence::NoMatch;
      });
      m_registry->setShortcuts(holder->id, left);
    }
  }
  m_registry->setShortcuts(id, keys);
}

void ShortcutEditor::assign() {
  give(chosen(), {m_edit->keySequence()});
  fill();
  emit edited();
}

void ShortcutEditor::remove() {
  m_registry->setShortcuts(chosen(), {});
  fill();
  emit edited();
}

void ShortcutEditor::reset(const QStringList& ids) {
  for (const QString& id : ids) {
    if (const Command* command = m_registry->find(id)) give(id, command->shortcuts);
  }
  fill();
  emit edited();
}

void ShortcutEditor::setTheme(const Theme& theme) {
  OverlayPanel::setTheme(theme);
  m_tree->setStyleSheet(
      QStringLiteral("QTreeWidget { background: %1; } QTreeWidget::item { height: 24px; }"
                     "QTreeWidget::item:selected { background: %2; color: %3; }")
          .arg(theme.surface.name(), theme.accentSoft.name(), theme.text.name()));
  m_message->setStyleSheet(QStringLiteral("color: %1").arg(theme.warning.name()));
}

}  // namespace qaq::views
