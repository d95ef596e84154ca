#include "views/plots/choice_switch.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QToolButton>

#include "views/plots/theme.h"

namespace qaq::views {

ChoiceSwitch::ChoiceSwitch(const QString& name, const QStringList& words, QWidget* parent)
    : QWidget(parent), m_group(new QButtonGroup(this)) {
  setAccessibleName(name);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(2);
  for (int i = 0; i < words.size(); ++i) {
    auto* button = new QToolButton;
    button->setText(words[i]);
    button->setAccessibleName(name + QStringLiteral(": ") + words[i]);
    button->setCheckable(true);
    button->setFont(Theme::font(Theme::kLabelPx));
    m_group->addButton(button, i);
    row->addWidget(button);
  }
  m_group->setExclusive(true);
  setChosen(0);
  connect(m_group, &QButtonGroup::idClicked, this, &ChoiceSwitch::changed);
}

void ChoiceSwitch::setToolTips(const QStringList& texts) {
  for (int i = 0; i < texts.size(); ++i) m_group->button(i)->setToolTip(texts[i]);
}

int ChoiceSwitch::chosen() const { return m_group->checkedId(); }

void ChoiceSwitch::setChosen(int index) { m_group->button(index)->setChecked(true); }

QWidget* choiceRow(const QList<QWidget*>& choices) {
  auto* controls = new QWidget;
  auto* row = new QHBoxLayout(controls);
  row->setContentsMargins(12, 4, 12, 0);
  row->addStretch(1);
  for (QWidget* choice : choices) row->addWidget(choice);
  return controls;
}

}  // namespace qaq::views
