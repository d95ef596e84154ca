#include "views/panels/parameter_panel.h"

#include <QCheckBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QToolButton>
#include <algorithm>

#include "core/base/error.h"
#include "views/panels/parameter_field.h"
#include "views/panels/policy_chooser.h"

namespace qaq::views {
namespace {

enum Column { kDot, kLabel, kReset, kKey, kValue };
constexpr int kFieldWidth = 84;  // px

/// The other cache's parameter of the same name: "key.level" for "value.level"; else empty.
QString twinOf(const QString& name) {
  if (name.startsWith(QLatin1String("key."))) return QStringLiteral("value.") + name.mid(4);
  if (name.startsWith(QLatin1String("value."))) return QStringLiteral("key.") + name.mid(6);
  return {};
}

QString labelOf(const Parameter& parameter) {
  QString label = QString::fromUtf8(parameter.info.name.data(),
                                    static_cast<qsizetype>(parameter.info.name.size()));
  return label.replace(QLatin1Char('_'), QLatin1Char(' '));
}

}  // namespace

ParameterPanel::ParameterPanel(QWidget* parent)
    : QWidget(parent), m_chooser(new PolicyChooser), m_scroll(new QScrollArea) {
  setAccessibleName(tr("Parameters"));
  setObjectName(QStringLiteral("parameterPanel"));
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(m_chooser);
  m_scroll->setWidgetResizable(true);
  m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  column->addWidget(m_scroll, 1);
  column->addWidget(makeFoot());
  connect(m_chooser, &PolicyChooser::chosen, this, &ParameterPanel::choosePolicy);
  makeRows();
  setParams(m_params);
}

void ParameterPanel::addLink(QGridLayout* grid) {
  m_link = new QToolButton;
  m_link->setText(tr("Link"));
  m_link->setCheckable(true);
  m_link->setToolTip(tr("Change K and V together"));
  m_link->setAccessibleName(tr("Link K and V"));
  grid->addWidget(m_link, 0, kLabel, Qt::AlignLeft);
  const auto heading = [](const QString& text) {
    auto* label = new QLabel(text);
    label->setFont(Theme::font(Theme::kLabelPx, true));
    label->setAlignment(Qt::AlignCenter);
    return label;
  };
  grid->addWidget(heading(QStringLiteral("K")), 0, kKey);
  grid->addWidget(heading(QStringLiteral("V")), 0, kValue);
}

void ParameterPanel::addHeading(QGridLayout* grid, const QString& section) {
  auto* label = new QLabel(section);
  label->setFont(Theme::font(Theme::kLabelPx, true));
  grid->addWidget(label, grid->rowCount(), kLabel, 1, 4);
}

void ParameterPanel::makeRows() {
  m_fields.clear();
  m_rows.clear();
  m_link = nullptr;
  auto* body = new QWidget;
  auto* grid = new QGridLayout(body);
  grid->setContentsMargins(6, 6, 10, 6);
  grid->setHorizontalSpacing(4);
  grid->setVerticalSpacing(1);
  grid->setColumnStretch(kLabel, 1);
  // Rows in the visitor's order; a parameter of both caches has one row.
  QList<QList<Parameter>> rows;
  for (const Parameter& parameter : list_parameters(m_params)) {
    bool joined = false;
    for (QList<Parameter>& row : rows) {
      if (QString::fromStdString(row.first().name) !=
          twinOf(QString::fromStdString(parameter.name)))
        continue;
      row.push_back(parameter);
      joined = true;
    }
    if (!joined) rows.push_back({parameter});
  }
  const auto isOfBoth = [](const QList<Parameter>& row) { return row.size() > 1; };
  if (std::ranges::any_of(rows, isOfBoth)) addLink(grid);
  std::string last = "key";
  for (const QList<Parameter>& row : rows) {
    const std::string& section = row.first().section;
    const bool isOfCache = section.empty() || section == "key" || section == "value";
    if (!isOfCache && section != last) addHeading(grid, QString::fromStdString(section));
    last = section;
    addRow(grid, row);
  }
  if (rows.isEmpty()) {
    auto* none = new QLabel(tr("This policy has nothing to set."));
    none->setEnabled(false);
    grid->addWidget(none, 0, kLabel, 1, 4);
  }
  grid->setRowStretch(grid->rowCount(), 1);
  // The last one may hold the focus.
  if (QWidget* before = m_scroll->takeWidget()) before->deleteLater();
  m_scroll->setWidget(body);
  body->show();
  colorDots();
}

void ParameterPanel::choosePolicy(const QString& name) {
  ScopeParams changed = m_params;
  try {
    set_policy(changed, name.toStdString());
  } catch (const Error& error) {
    m_chooser->setPolicy(m_params.policy);
    setError(QString::fromUtf8(error.what()));
    return;
  }
  setError({});
  setParams(changed);
  emit edited(m_params, true);
}

void ParameterPanel::addRow(QGridLayout* grid, const QList<Parameter>& parameters) {
  const int at = grid->rowCount();
  Row row;
  row.dot = new QLabel(QStringLiteral("●"));
  row.dot->setToolTip(tr("Differs from the default"));
  row.dot->setFixedWidth(9);
  row.reset = new QToolButton;
  row.reset->setText(QStringLiteral("↺"));
  row.reset->setToolTip(tr("Back to the default"));
  row.reset->setFixedWidth(20);
  for (QWidget* widget : std::initializer_list<QWidget*>{row.dot, row.reset}) {
    QSizePolicy keep = widget->sizePolicy();
    keep.setRetainSizeWhenHidden(true);
    widget->setSizePolicy(keep);
  }
  auto* label = new QLabel(labelOf(parameters.first()));
  label->setWordWrap(true);
  grid->addWidget(row.dot, at, kDot);
  grid->addWidget(label, at, kLabel);
  grid->addWidget(row.reset, at, kReset);
  for (const Parameter& parameter : parameters) {
    row.names.push_back(QString::fromStdString(parameter.name));
    const bool isOfCache = parameter.section == "key" || parameter.section == "value";
    addField(grid, parameter, parameter.section == "value" ? kValue : kKey, isOfCache ? 1 : 2);
  }
  if (parameters.size() == 1 && parameters.first().section == "key") {
    auto* only = new QLabel(tr("K only"));
    only->setEnabled(false);
    grid->addWidget(only, at, kValue);
  }
  label->setToolTip(m_fields.value(row.names.first())->toolTip());
  row.reset->setAccessibleName(tr("Reset %1").arg(label->text()));
  connect(row.reset, &QToolButton::clicked, this, [this, names = row.names] { reset(names); });
  m_rows.push_back(row);
}

void ParameterPanel::addField(QGridLayout* grid, const Parameter& parameter, int column, int span) {
  const QString name = QString::fromStdString(parameter.name);
  auto* field = new ParameterField(parameter);
  // Wide enough for "mean_centred"; the column takes what the dock gives.
  field->setMinimumWidth(span == 1 ? kFieldWidth : 2 * kFieldWidth + 4);
  // The row was opened by its label.
  grid->addWidget(field, grid->rowCount() - 1, column, 1, span);
  connect(field, &ParameterField::edited, this,
          [this, name](const ParameterValue& value, bool final) { edit(name, value, final); });
  m_fields.insert(name, field);
}

QWidget* ParameterPanel::makeFoot() {
  auto* foot = new QWidget;
  auto* column = new QVBoxLayout(foot);
  column->setContentsMargins(12, 8, 10, 10);
  m_error = new QLabel;
  m_error->setWordWrap(true);
  m_error->hide();
  column->addWidget(m_error);
  auto* row = new QHBoxLayout;
  m_live = new QCheckBox(tr("Live"));
  m_live->setChecked(true);
  m_live->setToolTip(tr("Replay at every change"));
  m_state = new QLabel;
  auto* copy = new QPushButton(tr("Copy command"));
  copy->setToolTip(tr("Copy these settings as a qaq replay command line"));
  m_run = new QPushButton(tr("Run"));
  m_run->setDefault(true);
  row->addWidget(m_live);
  row->addWidget(m_state, 1);
  row->addWidget(copy);
  row->addWidget(m_run);
  column->addLayout(row);
  connect(m_live, &QCheckBox::toggled, this, &ParameterPanel::liveChanged);
  connect(copy, &QPushButton::clicked, this, &ParameterPanel::copyRequested);
  connect(m_run, &QPushButton::clicked, this, &ParameterPanel::runRequested);
  return foot;
}

bool ParameterPanel::isLive() const { return m_live->isChecked(); }

void ParameterPanel::setLive(bool live) {
  const QSignalBlocker block(m_live);
  m_live->setChecked(live);
}

bool ParameterPanel::twinsAgree() const {
  const auto all = list_parameters(m_params);
  for (const Parameter& parameter : all) {
    const QString twin = twinOf(QString::fromStdString(parameter.name));
    for (const Parameter& other : all) {
      if (QString::fromStdString(other.name) == twin && other.value != parameter.value)
        return false;
    }
  }
  return true;
}

void ParameterPanel::take(const ScopeParams& params) {
  const bool isOther = params.policy != m_params.policy;
  m_params = params;
  m_chooser->setPolicy(params.policy);
  if (isOther) makeRows();
}

void ParameterPanel::setParams(const ScopeParams& params) {
  take(params);
  if (m_link) m_link->setChecked(twinsAgree());
  refresh();
}

void ParameterPanel::showParams(const ScopeParams& params) {
  const bool isOther = params.policy != m_params.policy;
  take(params);
  if (m_link && (isOther || !twinsAgree())) m_link->setChecked(twinsAgree());
  refresh();
}

void ParameterPanel::edit(const QString& name, const ParameterValue& value, bool final) {
  set_parameter(m_params, name.toStdString(), value);
  const QString twin = twinOf(name);
  if (m_link && m_link->isChecked() && m_fields.contains(twin)) {
    set_parameter(m_params, twin.toStdString(), value);
  }
  refresh();
  emit edited(m_params, final);
}

void ParameterPanel::reset(const QStringList& names) {
  for (const Parameter& parameter : list_parameters(defaults_of(m_params))) {
    if (names.contains(QString::fromStdString(parameter.name))) {
      set_parameter(m_params, parameter.name, parameter.value);
    }
  }
  refresh();
  emit edited(m_params, true);
}

void ParameterPanel::refresh() {
  const auto present = list_parameters(m_params), defaults = list_parameters(defaults_of(m_params));
  QStringList changed;
  for (std::size_t i = 0; i < present.size(); ++i) {
    const QString name = QString::fromStdString(present[i].name);
    m_fields.value(name)->setValue(present[i].value);
    if (present[i].value != defaults[i].value) changed.push_back(name);
  }
  for (const Row& row : m_rows) {
    const bool dirty = std::any_of(row.names.begin(), row.names.end(),
                                   [&](const QString& name) { return changed.contains(name); });
    row.dot->setVisible(dirty);
    row.reset->setVisible(dirty);
  }
}

void ParameterPanel::colorDots() {
  for (const Row& row : m_rows) {
    row.dot->setStyleSheet(QStringLiteral("color: %1").arg(m_theme.accent.name()));
  }
}

void ParameterPanel::setTheme(const Theme& theme) {
  m_theme = theme;
  m_chooser->setTheme(theme);
  colorDots();
  m_state->setStyleSheet(QStringLiteral("color: %1").arg(theme.muted.name()));
  m_error->setStyleSheet(QStringLiteral("color: %1").arg(theme.warning.name()));
}

void ParameterPanel::setState(const QString& word) { m_state->setText(word); }

void ParameterPanel::setError(const QString& line) {
  m_error->setText(line.isEmpty() ? QString() : QStringLiteral("⚠ ") + line);
  m_error->setVisible(!line.isEmpty());
}

}  // namespace qaq::views
