#include "views/commands/cheat_sheet.h"

#include <QGridLayout>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

#include "views/commands/command_menus.h"

namespace qaq::views {
namespace {

constexpr int kAround = 64;      // px of height beside the keys
constexpr int kKeysWidth = 150;  // px

}  // namespace

CheatSheet::CheatSheet(const CommandRegistry* registry, const CommandMenus* menus, QWidget* window)
    : OverlayPanel(tr("Keys"), window),
      m_registry(registry),
      m_menus(menus),
      m_scroll(new QScrollArea) {
  m_scroll->setWidgetResizable(true);
  m_scroll->setFrameShape(QFrame::NoFrame);
  m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_scroll->setAccessibleName(tr("Keys by menu"));
  body()->addWidget(m_scroll, 1);
}

QSize CheatSheet::wantedSize() const {
  const QSize sheet = m_scroll->widget()->sizeHint();
  // With room for a scroll bar where the window is low.
  return {sheet.width() + kAround, sheet.height() + kAround};
}

QWidget* CheatSheet::firstFocus() { return m_scroll; }

QList<CheatSheet::Group> CheatSheet::groups() const {
  QList<Group> groups;
  for (const QString& menu : m_menus->order()) {
    Group group{.title = m_menus->titleOf(menu)};
    for (const Command* command : m_registry->all()) {
      const auto keys = m_registry->shortcuts(command->id);
      if (keys.isEmpty() || command->menu.section(QLatin1Char('/'), 0, 0) != menu) continue;
      group.rows.push_back({shortcutsText(keys), command->text});
    }
    if (!group.rows.isEmpty()) groups.push_back(group);
  }
  groups.push_back({.title = tr("On a map"),
                    .rows = {{tr("Pointer"), tr("Read the cell out everywhere")},
                             {tr("Click"), tr("Lock the cell")},
                             {tr("Arrow keys"), tr("Move the lock")},
                             {tr("Wheel"), tr("Zoom")},
                             {tr("Drag"), tr("Move the map")}}});
  return groups;
}

void CheatSheet::fill() {
  auto* sheet = new QWidget;
  auto* columns = new QHBoxLayout(sheet);
  columns->setContentsMargins(0, 0, 0, 0);
  columns->setSpacing(24);
  qsizetype rows = 0;
  const QList<Group> all = groups();
  for (const Group& group : all) rows += group.rows.size() + 2;
  QVBoxLayout* column = nullptr;
  qsizetype filled = 0;
  for (const Group& group : all) {
    // Two columns of about the same height.
    if (!column || (columns->count() == 1 && 2 * filled >= rows)) {
      column = new QVBoxLayout;
      column->setSpacing(12);
      columns->addLayout(column, 1);
    }
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(4);
    grid->setColumnMinimumWidth(0, kKeysWidth);
    grid->setColumnStretch(1, 1);
    auto* title = new QLabel(group.title);
    title->setFont(Theme::font(Theme::kTitlePx, true));
    grid->addWidget(title, 0, 0, 1, 2);
    for (const Row& row : group.rows) {
      auto* keys = new QLabel(row.keys);
      keys->setFont(Theme::font(Theme::kLabelPx, true));
      auto* text = new QLabel(row.text);
      text->setFont(Theme::font(Theme::kLabelPx));
      text->setStyleSheet(QStringLiteral("color: %1").arg(theme().muted.name()));
      const int at = grid->rowCount();
      grid->addWidget(keys, at, 0);
      grid->addWidget(text, at, 1);
    }
    column->addLayout(grid);
    filled += group.rows.size() + 2;
  }
  for (int i = 0; i < columns->count(); ++i) {
    static_cast<QVBoxLayout*>(columns->itemAt(i)->layout())->addStretch(1);
  }
  m_scroll->setWidget(sheet);
}

void CheatSheet::showNow() {
  fill();
  open();
}

void CheatSheet::setTheme(const Theme& theme) {
  OverlayPanel::setTheme(theme);
  if (isVisible()) fill();
}

}  // namespace qaq::views
