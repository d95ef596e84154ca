#include "views/panels/selection_bar.h"

#include <QActionGroup>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QMenu>
#include <QToolButton>

#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr SelectMode kModes[] = {SelectMode::make, SelectMode::replace, SelectMode::add,
                                 SelectMode::intersect, SelectMode::remove};

QString helpOf(SelectMode mode) {
  switch (mode) {
    case SelectMode::make:
      return SelectionBar::tr("Select, and keep as a new slice");
    case SelectMode::replace:
      return SelectionBar::tr("Select instead of what was selected");
    case SelectMode::add:
      return SelectionBar::tr("Select as well");
    case SelectMode::intersect:
      return SelectionBar::tr("Keep only what was selected, too");
    case SelectMode::remove:
      break;
  }
  return SelectionBar::tr("Take out of what is selected");
}

}  // namespace

QString nameOf(SelectMode mode) {
  switch (mode) {
    case SelectMode::make:
      return SelectionBar::tr("New");
    case SelectMode::replace:
      return SelectionBar::tr("Replace");
    case SelectMode::add:
      return SelectionBar::tr("Add");
    case SelectMode::intersect:
      return SelectionBar::tr("Intersect");
    case SelectMode::remove:
      break;
  }
  return SelectionBar::tr("Remove");
}

QString sizeText(const SelectionSet& cells) {
  if (cells.empty()) return {};
  const QString tokens =
      counted(cells.n_tokens(), SelectionBar::tr("1 token"), SelectionBar::tr("%1 tokens"));
  if (cells.is_of_tokens()) return tokens;
  return tokens + QStringLiteral(", ") +
         counted(cells.n_cells(), SelectionBar::tr("1 cell"), SelectionBar::tr("%1 cells"));
}

SelectionBar::SelectionBar(SelectionModel* selection, QWidget* parent)
    : QWidget(parent),
      m_selection(selection),
      m_mode(new QToolButton),
      m_box(new QToolButton),
      m_count(new QLabel),
      m_filter(new QToolButton) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(6);
  for (QWidget* widget : std::initializer_list<QWidget*>{m_mode, m_box, m_count, m_filter}) {
    row->addWidget(widget);
  }
  m_mode->setPopupMode(QToolButton::InstantPopup);
  m_mode->setToolTip(
      tr("What a click or a box does to the selection. Shift extends, Ctrl adds or "
         "takes out, Alt takes out"));
  auto* menu = new QMenu(m_mode);
  auto* group = new QActionGroup(menu);
  for (const SelectMode mode : kModes) {
    QAction* action = menu->addAction(nameOf(mode));
    action->setToolTip(helpOf(mode));
    action->setCheckable(true);
    action->setData(static_cast<int>(mode));
    group->addAction(action);
    connect(action, &QAction::triggered, selection,
            [selection, mode] { selection->setMode(mode); });
  }
  menu->setToolTipsVisible(true);
  m_mode->setMenu(menu);
  m_box->setText(tr("Box"));
  m_box->setCheckable(true);
  m_box->setToolTip(tr("Dragging over a map selects a box instead of moving the map"));
  connect(m_box, &QToolButton::toggled, selection, &SelectionModel::setBoxTool);
  m_filter->setText(tr("Filter"));
  m_filter->setToolTip(tr("Limit the text and the table to the selection; maps veil the rest"));
  connect(m_filter, &QToolButton::clicked, selection, &SelectionModel::pushFilter);
  connect(selection, &SelectionModel::modeChanged, this, &SelectionBar::refresh);
  connect(selection, &SelectionModel::selectionChanged, this, &SelectionBar::refresh);
  refresh();
}

void SelectionBar::refresh() {
  m_mode->setText(tr("Select: %1").arg(nameOf(m_selection->mode())));
  m_mode->setAccessibleName(m_mode->text());
  for (QAction* action : m_mode->menu()->actions()) {
    action->setChecked(action->data().toInt() == static_cast<int>(m_selection->mode()));
  }
  m_box->setChecked(m_selection->isBoxTool());
  m_count->setText(sizeText(m_selection->selected()));
  m_filter->setEnabled(!m_selection->selected().empty());
}

void SelectionBar::setTheme(const Theme& theme) {
  m_count->setStyleSheet(QStringLiteral("color: %1").arg(theme.muted.name()));
}

QString SelectionBar::text() const { return m_mode->text(); }
QString SelectionBar::count() const { return m_count->text(); }

}  // namespace qaq::views
