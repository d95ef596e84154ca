#include "views/panels/policy_chooser.h"

#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QSignalBlocker>

#include "core/analysis/scope_params.h"
#include "core/policy/policies.h"

namespace qaq::views {
namespace {

QString textOf(std::string_view text) {
  return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

void offer(QComboBox* box, const PolicyEntry& entry) {
  box->addItem(textOf(entry.name), textOf(entry.name));
  box->setItemData(box->count() - 1, textOf(entry.help), Qt::ToolTipRole);
}

void choose(QComboBox* box, const std::string& name) {
  const QSignalBlocker block(box);
  box->setCurrentIndex(std::max(0, box->findData(QString::fromStdString(name))));
}

}  // namespace

PolicyChooser::PolicyChooser(QWidget* parent)
    : QWidget(parent), m_quantizes(new QComboBox), m_evicts(new QComboBox), m_help(new QLabel) {
  m_evicts->addItem(tr("nothing"), QString());
  m_evicts->setItemData(0, tr("Every token stays"), Qt::ToolTipRole);
  for (const PolicyEntry& entry : policies()) {
    offer(parts_of(entry.name).evicts.empty() ? m_quantizes : m_evicts, entry);
  }
  m_evicts->setEnabled(m_evicts->count() > 1);
  auto* grid = new QGridLayout(this);
  grid->setContentsMargins(12, 8, 10, 6);
  grid->setHorizontalSpacing(8);
  grid->setVerticalSpacing(2);
  int column = 0;
  for (const auto& [words, box] :
       {std::pair{tr("quantizes with"), m_quantizes}, std::pair{tr("evicts with"), m_evicts}}) {
    auto* label = new QLabel(words);
    label->setBuddy(box);
    box->setAccessibleName(words);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(8);
    grid->addWidget(label, 0, column);
    grid->addWidget(box, 1, column);
    grid->setColumnStretch(column++, 1);
    connect(box, &QComboBox::activated, this, &PolicyChooser::send);
  }
  m_quantizes->setObjectName(QStringLiteral("quantizesWith"));
  m_evicts->setObjectName(QStringLiteral("evictsWith"));
  m_help->setWordWrap(true);
  grid->addWidget(m_help, 2, 0, 1, 2);
  describe();
}

void PolicyChooser::setPolicy(const std::string& name) {
  const PolicyParts parts = parts_of(name);
  choose(m_quantizes, parts.quantizes.empty() ? name_of(PolicyParts{}) : parts.quantizes);
  choose(m_evicts, parts.evicts);
  describe();
}

void PolicyChooser::setTheme(const Theme& theme) {
  m_help->setStyleSheet(QStringLiteral("color: %1").arg(theme.muted.name()));
}

void PolicyChooser::send() {
  describe();
  emit chosen(QString::fromStdString(
      name_of(PolicyParts{m_quantizes->currentData().toString().toStdString(),
                          m_evicts->currentData().toString().toStdString()})));
}

void PolicyChooser::describe() {
  QStringList lines;
  for (QComboBox* box : {m_quantizes, m_evicts}) {
    const QString help = box->currentData(Qt::ToolTipRole).toString();
    box->setToolTip(help);
    box->setAccessibleDescription(help);
    if (box == m_quantizes || box->currentIndex() > 0) lines += help;
  }
  m_help->setText(lines.join(QLatin1Char('\n')));
}

}  // namespace qaq::views
