#include "views/shell/diagnosis_dialog.h"

#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>

#include "views/panels/model_field.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr int kMostPredicted = 1 << 20;

}  // namespace

DiagnosisDialog::DiagnosisDialog(const QStringList& models, QWidget* parent)
    : QDialog(parent),
      m_model(new ModelField(models)),
      m_prefix(new QSpinBox),
      m_generate(new QSpinBox),
      m_margin(new QDoubleSpinBox),
      m_step(new QSpinBox),
      m_heads(new QCheckBox(tr("&Replay each head of the cache to blame"))),
      m_state(new QLabel),
      m_start(new QPushButton(tr("Diagnose"))) {
  setWindowTitle(tr("Diagnose"));
  setModal(false);
  auto* column = new QVBoxLayout(this);
  auto* rows = new QFormLayout;
  rows->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  column->addLayout(rows);
  rows->addRow(tr("&Model"), m_model);
  m_prefix->setRange(1, kMostPredicted);
  m_prefix->setAccessibleName(tr("Tokens that are quantized"));
  m_prefix->setToolTip(
      tr("So many first tokens of the capture stand in the quantized cache; those "
         "behind them are predicted"));
  rows->addRow(tr("&Quantized tokens"), m_prefix);
  m_generate->setRange(1, kMostPredicted);
  m_generate->setAccessibleName(tr("Tokens to generate"));
  m_generate->setToolTip(tr("Of the whole cache's own text, where the capture ends"));
  rows->addRow(tr("&Generate"), m_generate);
  m_margin->setRange(0, 1000);
  m_margin->setDecimals(3);
  m_margin->setSingleStep(0.05);
  m_margin->setAccessibleName(tr("Coin-flip margin"));
  m_margin->setToolTip(
      tr("A changed token is a coin-flip where the whole cache's two largest "
         "logits are nearer than this"));
  rows->addRow(tr("&Coin-flip margin"), m_margin);
  m_step->setRange(-1, kMostPredicted);
  m_step->setSpecialValueText(tr("the first that diverged"));
  m_step->setAccessibleName(tr("Step to explain"));
  rows->addRow(tr("&Explain step"), m_step);
  m_heads->setToolTip(
      tr("KL with one head left exact, head by head: as many replays more as the "
         "cache has heads"));
  rows->addRow(QString(), m_heads);
  m_state->setWordWrap(true);
  m_state->setTextFormat(Qt::PlainText);
  m_state->setMinimumHeight(2 * m_state->fontMetrics().height());
  m_state->setAlignment(Qt::AlignLeft | Qt::AlignTop);
  column->addWidget(m_state);
  auto* buttons = new QHBoxLayout;
  auto* close = new QPushButton(tr("Close"));
  buttons->addStretch(1);
  buttons->addWidget(close);
  buttons->addWidget(m_start);
  m_start->setDefault(true);
  column->addLayout(buttons);
  setForm({});
  connect(m_model, &ModelField::changed, this, &DiagnosisDialog::showState);
  connect(m_prefix, &QSpinBox::valueChanged, this, &DiagnosisDialog::showState);
  connect(m_generate, &QSpinBox::valueChanged, this, &DiagnosisDialog::showState);
  connect(close, &QPushButton::clicked, this, &QWidget::hide);
  connect(m_start, &QPushButton::clicked, this, [this] {
    hide();
    emit wanted(form());
  });
  showState();
  resize(520, sizeHint().height());
}

void DiagnosisDialog::setCapture(const CaptureInfo& info) {
  m_prefix->setMaximum(static_cast<int>(info.n_tokens));
  showState();
}

DiagnosisForm DiagnosisDialog::form() const {
  DiagnosisForm form{.model = m_model->text(),
                     .prefix = m_prefix->value(),
                     .generate = m_generate->value(),
                     .coinFlipMargin = m_margin->value(),
                     .heads = m_heads->isChecked()};
  if (m_step->value() >= 0) form.step = m_step->value();
  return form;
}

void DiagnosisDialog::setForm(const DiagnosisForm& form) {
  m_model->setText(form.model);
  m_prefix->setValue(form.prefix);
  m_generate->setValue(form.generate);
  m_margin->setValue(form.coinFlipMargin);
  m_step->setValue(form.step.value_or(-1));
  m_heads->setChecked(form.heads);
}

void DiagnosisDialog::showState() {
  const int behind = m_prefix->maximum() - m_prefix->value();
  m_generate->setEnabled(behind == 0);
  const bool named = !m_model->text().isEmpty();
  m_start->setEnabled(named);
  m_state->setText(!named ? tr("Name the model that the capture was made with.")
                   : behind > 0
                       ? tr("Predicts %1 of the capture, behind the quantized ones.")
                             .arg(counted(behind, tr("the last token"), tr("the last %1 tokens")))
                       : tr("Predicts %1 of the whole cache's own text, behind the whole capture.")
                             .arg(counted(m_generate->value(), tr("1 token"), tr("%1 tokens"))));
}

QString DiagnosisDialog::stateText() const { return m_state->text(); }

void DiagnosisDialog::setTheme(const Theme& theme) {
  m_state->setStyleSheet(QStringLiteral("color: %1").arg(theme.muted.name()));
}

}  // namespace qaq::views
