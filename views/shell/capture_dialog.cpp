#include "views/shell/capture_dialog.h"

#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QRadioButton>
#include <QSpinBox>
#include <QStandardPaths>
#include <QVBoxLayout>

#include "core/base/text.h"
#include "views/panels/model_field.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr int kTypingMs = 400;
constexpr int kMostTokens = 1 << 20;
const QString kWindow = QStringLiteral("window");

QWidget* rowOf(const QList<QWidget*>& widgets) {
  auto* line = new QWidget;
  auto* row = new QHBoxLayout(line);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(6);
  for (QWidget* widget : widgets) row->addWidget(widget);
  return line;
}

QString defaultOutput() {
  QString folder = QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation);
  if (!QFileInfo(folder).isDir()) folder = QDir::homePath();
  return QDir(folder).filePath(QStringLiteral("capture.h5"));
}

/// "prefill" as people read it.
QString stageText(const QString& stage) {
  if (stage == QLatin1String("load")) return CaptureDialog::tr("Loading the model");
  if (stage == QLatin1String("prefill")) return CaptureDialog::tr("Reading the prompt");
  if (stage == QLatin1String("decode")) return CaptureDialog::tr("Generating");
  if (stage == QLatin1String("write")) return CaptureDialog::tr("Writing the file");
  return stage;
}

}  // namespace

CaptureDialog::CaptureDialog(const CaptureMaker& maker, QWidget* parent)
    : QDialog(parent),
      m_job(maker),
      m_fields(new QWidget),
      m_model(new ModelField(maker.models)),
      m_generate(new QSpinBox),
      m_layers(new QLineEdit),
      m_attention(new QComboBox),
      m_window(new QSpinBox),
      m_dtype(new QComboBox),
      m_output(new QLineEdit),
      m_state(new QLabel),
      m_progress(new QProgressBar),
      m_start(new QPushButton(tr("Capture"))),
      m_cancel(new QPushButton(tr("Cancel"))),
      m_forecast([this](const auto& made) { showForecast(*made); },
                 [this](const QString& line) {
                   if (!m_job.isRunning()) say(line, true);
                 }) {
  setWindowTitle(tr("Capture from model"));
  setModal(false);
  auto* column = new QVBoxLayout(this);
  column->addWidget(m_fields);
  auto* form = new QFormLayout(m_fields);
  form->setContentsMargins(0, 0, 0, 0);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);

  form->addRow(tr("&Model"), m_model);
  form->addRow(tr("Prompt"), makePrompt());

  m_generate->setRange(0, kMostTokens);
  m_generate->setValue(64);
  m_generate->setToolTip(tr("Tokens to generate after the prompt; fewer where the model ends"));
  m_generate->setAccessibleName(tr("Tokens to generate"));
  form->addRow(tr("&Generate"), m_generate);
  m_layers->setPlaceholderText(tr("all, or as in 0-3,14"));
  m_layers->setAccessibleName(tr("Layers"));
  form->addRow(tr("&Layers"), m_layers);
  m_attention->addItem(tr("automatic: full, derived above 2 GB"), QStringLiteral("auto"));
  m_attention->addItem(tr("full"), QStringLiteral("full"));
  m_attention->addItem(tr("the last rows"), kWindow);
  m_attention->addItem(tr("derived from queries and keys"), QStringLiteral("derive"));
  m_attention->addItem(tr("none"), QStringLiteral("none"));
  m_attention->setAccessibleName(tr("Attention"));
  m_window->setRange(1, kMostTokens);
  m_window->setValue(64);
  m_window->setAccessibleName(tr("Rows of attention"));
  m_window->hide();
  form->addRow(tr("&Attention"), rowOf({m_attention, m_window}));
  m_dtype->addItems({QStringLiteral("f32"), QStringLiteral("f16"), QStringLiteral("bf16")});
  m_dtype->setToolTip(tr("Numbers of keys, values and queries in the file"));
  m_dtype->setAccessibleName(tr("Number type"));
  form->addRow(tr("&Numbers"), m_dtype);
  m_output->setAccessibleName(tr("Capture file to write"));
  auto* outputFile = new QPushButton(tr("Choose…"));
  form->addRow(tr("&Write to"), rowOf({m_output, outputFile}));

  m_state->setWordWrap(true);
  m_state->setTextFormat(Qt::PlainText);
  m_state->setMinimumHeight(2 * m_state->fontMetrics().height());
  m_state->setAlignment(Qt::AlignLeft | Qt::AlignTop);
  column->addWidget(m_state);
  auto* buttons = new QHBoxLayout;
  m_progress->setTextVisible(false);
  m_progress->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  buttons->addWidget(m_progress, 1);
  buttons->addStretch();
  buttons->addWidget(m_cancel);
  buttons->addWidget(m_start);
  m_start->setDefault(true);
  column->addLayout(buttons);

  m_typing.setSingleShot(true);
  m_typing.setInterval(kTypingMs);
  connect(&m_typing, &QTimer::timeout, this, &CaptureDialog::forecast);
  const auto edited = [this] { m_typing.start(); };
  connect(m_model, &ModelField::changed, this, edited);
  connect(m_isFile, &QRadioButton::toggled, this, edited);
  connect(m_prompt, &QPlainTextEdit::textChanged, this, edited);
  for (QLineEdit* line : {m_promptFile, m_layers, m_output}) {
    connect(line, &QLineEdit::textChanged, this, edited);
  }
  for (QSpinBox* box : {m_generate, m_window}) connect(box, &QSpinBox::valueChanged, this, edited);
  connect(m_dtype, &QComboBox::currentIndexChanged, this, edited);
  connect(m_attention, &QComboBox::currentIndexChanged, this, [this, edited] {
    m_window->setVisible(m_attention->currentData() == kWindow);
    edited();
  });
  connect(outputFile, &QPushButton::clicked, this, [this] {
    const QString path = QFileDialog::getSaveFileName(this, tr("Capture file to write"),
                                                      m_output->text(), tr("Captures (*.h5)"));
    if (!path.isEmpty()) m_output->setText(path);
  });
  connect(m_start, &QPushButton::clicked, this, &CaptureDialog::start);
  connect(m_cancel, &QPushButton::clicked, this, [this] {
    if (!m_job.isRunning()) return hide();
    m_job.cancel();
    say(tr("Stopping …"), false);
  });
  connect(&m_job, &CaptureJob::progressed, this, &CaptureDialog::showProgress);
  connect(&m_job, &CaptureJob::finished, this, [this](const QString& path) {
    showRunning(false);
    say(tr("%1 is written.").arg(path), false);
    hide();
  });
  connect(&m_job, &CaptureJob::failed, this, [this](const QString& line) {
    showRunning(false);
    say(line, true);
  });
  connect(&m_job, &CaptureJob::cancelled, this, [this] {
    showRunning(false);
    say(tr("Cancelled: nothing was written."), false);
  });
  showRunning(false);
  resize(620, sizeHint().height());
}

QWidget* CaptureDialog::makePrompt() {
  auto* box = new QWidget;
  auto* column = new QVBoxLayout(box);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(6);
  m_isText = new QRadioButton(tr("this text"));
  m_isFile = new QRadioButton(tr("a text file"));
  m_isText->setChecked(true);
  m_prompt = new QPlainTextEdit;
  m_prompt->setTabChangesFocus(true);
  m_prompt->setAccessibleName(tr("Prompt"));
  m_prompt->setMinimumHeight(90);
  m_promptFile = new QLineEdit;
  m_promptFile->setAccessibleName(tr("Prompt file"));
  auto* choose = new QPushButton(tr("Choose…"));
  QWidget* file = rowOf({m_promptFile, choose});
  file->hide();
  QWidget* kinds = rowOf({m_isText, m_isFile});
  static_cast<QHBoxLayout*>(kinds->layout())->addStretch();
  for (QWidget* widget : {kinds, static_cast<QWidget*>(m_prompt), file}) column->addWidget(widget);
  connect(m_isFile, &QRadioButton::toggled, this, [this, file](bool isFile) {
    m_prompt->setVisible(!isFile);
    file->setVisible(isFile);
  });
  connect(choose, &QPushButton::clicked, this, [this] {
    const QString path = QFileDialog::getOpenFileName(this, tr("Prompt file"), {},
                                                      tr("Texts (*.txt *.md);;All files (*)"));
    if (!path.isEmpty()) m_promptFile->setText(path);
  });
  return box;
}

CaptureForm CaptureDialog::form() const {
  const bool isFile = m_isFile->isChecked();
  QString attention = m_attention->currentData().toString();
  if (attention == kWindow) attention += QStringLiteral(":%1").arg(m_window->value());
  return {.model = m_model->text(),
          .prompt = isFile ? QString() : m_prompt->toPlainText(),
          .promptFile = isFile ? m_promptFile->text() : QString(),
          .generate = m_generate->value(),
          .layers = m_layers->text().trimmed(),
          .attention = attention,
          .dtype = m_dtype->currentText(),
          .output = m_output->text()};
}

void CaptureDialog::setForm(const CaptureForm& form) {
  m_model->setText(form.model);
  (form.promptFile.isEmpty() ? m_isText : m_isFile)->setChecked(true);
  m_prompt->setPlainText(form.prompt);
  m_promptFile->setText(form.promptFile);
  m_generate->setValue(form.generate);
  m_layers->setText(form.layers);
  const QStringList attention = form.attention.split(QLatin1Char(':'));
  m_attention->setCurrentIndex(std::max(0, m_attention->findData(attention.first())));
  if (attention.size() > 1) m_window->setValue(attention[1].toInt());
  m_dtype->setCurrentText(form.dtype);
  m_output->setText(form.output);
}

QString CaptureDialog::whatIsMissing() const {
  const CaptureForm filled = form();
  if (filled.model.isEmpty()) return tr("Name a model.");
  if (filled.prompt.isEmpty() && filled.promptFile.isEmpty()) return tr("Give a prompt.");
  if (filled.output.isEmpty()) return tr("Say where to write the capture.");
  return {};
}

void CaptureDialog::forecast() {
  if (m_job.isRunning()) return;
  const QString missing = whatIsMissing();
  m_start->setEnabled(missing.isEmpty());
  if (!missing.isEmpty()) return say(missing, false);
  m_forecast.request([make = m_job.maker().forecast, filled = form()](const Work& work) {
    return std::make_shared<const CaptureForecast>(make(filled, work));
  });
}

void CaptureDialog::showForecast(const CaptureForecast& made) {
  if (m_job.isRunning() || !whatIsMissing().isEmpty()) return;
  const QString dot = QStringLiteral(" · ");
  QString line = made.model + dot +
                 counted(made.promptTokens, tr("prompt of 1 token"), tr("prompt of %1 tokens"));
  if (made.mostTokens > made.promptTokens) line += tr(", %1 at most in all").arg(made.mostTokens);
  line += dot + counted(made.layers, tr("1 layer"), tr("%1 layers")) + dot +
          tr("attention %1").arg(made.attention) + dot +
          tr("about %1").arg(QString::fromStdString(byte_text(made.bytes)));
  if (QFileInfo::exists(m_output->text())) {
    line +=
        QStringLiteral("\n") +
        tr("%1 is there already and will be replaced.").arg(QFileInfo(m_output->text()).fileName());
  }
  if (!made.warning.isEmpty()) line += QStringLiteral("\n") + made.warning;
  say(line, !made.warning.isEmpty());
}

void CaptureDialog::start() {
  const QString missing = whatIsMissing();
  if (!missing.isEmpty()) return say(missing, true);
  if (m_job.isRunning()) return;
  m_typing.stop();
  showRunning(true);
  m_progress->setRange(0, 0);
  say(tr("Opening the model …"), false);
  m_job.start(form());
}

void CaptureDialog::showProgress(const QString& stage, qint64 done, qint64 total) {
  m_progress->setRange(0, static_cast<int>(total));
  m_progress->setValue(static_cast<int>(done));
  say(stage == QLatin1String("write")
          ? stageText(stage)
          : tr("%1: %2 of %3").arg(stageText(stage)).arg(done).arg(total),
      false);
}

void CaptureDialog::showRunning(bool running) {
  m_fields->setEnabled(!running);
  m_progress->setVisible(running);
  m_start->setVisible(!running);
  m_cancel->setText(running ? tr("Cancel") : tr("Close"));
}

void CaptureDialog::say(const QString& line, bool isWarning) {
  m_state->setText(isWarning ? QStringLiteral("⚠ ") + line : line);
  const QColor& ink = isWarning ? m_theme.warning : m_theme.muted;
  m_state->setStyleSheet(QStringLiteral("color: %1").arg(ink.name()));
}

QString CaptureDialog::stateText() const { return m_state->text(); }

void CaptureDialog::setTheme(const Theme& theme) { m_theme = theme; }

void CaptureDialog::showEvent(QShowEvent* event) {
  QDialog::showEvent(event);
  if (m_output->text().isEmpty()) m_output->setText(defaultOutput());
  if (!m_job.isRunning()) forecast();
}

}  // namespace qaq::views
