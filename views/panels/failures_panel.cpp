#include "views/panels/failures_panel.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QStackedLayout>
#include <QTableWidget>
#include <algorithm>

#include "views/plots/diagnosis_text.h"
#include "views/plots/diagnosis_view.h"
#include "views/plots/number_format.h"
#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<int> kRowHeight{24};

QString stageText(const QString& stage, qint64 done, qint64 total) {
  if (stage == QLatin1String("load")) return FailuresPanel::tr("Loading the model");
  if (stage == QLatin1String("diagnose")) {
    return FailuresPanel::tr("Replaying: %1 of about %2").arg(done).arg(total);
  }
  return FailuresPanel::tr("Running the model: %1 of %2").arg(done).arg(total);
}

QLabel* label() {
  auto* made = new QLabel;
  made->setTextFormat(Qt::PlainText);
  made->setFont(Theme::font(Theme::kLabelPx));
  return made;
}

}  // namespace

FailuresPanel::FailuresPanel(Diagnoser* diagnoser, QWidget* parent)
    : QWidget(parent), m_diagnoser(diagnoser), m_pages(new QStackedLayout) {
  setObjectName(QStringLiteral("failuresPanel"));
  // Docks may be narrower and lower than what stands in them would like.
  setMinimumSize(200, 60);
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(1, 1, 1, 1);
  column->setSpacing(0);
  m_running = new QWidget;
  auto* line = new QHBoxLayout(m_running);
  line->setContentsMargins(12, 4, 8, 4);
  line->setSpacing(8);
  m_stage = label();
  m_progress = new QProgressBar;
  m_progress->setTextVisible(false);
  m_progress->setMaximumHeight(8);
  m_progress->setAccessibleName(tr("How far the diagnosis is"));
  auto* cancel = new QPushButton(tr("Cancel"));
  line->addWidget(m_stage);
  line->addWidget(m_progress, 1);
  line->addWidget(cancel);
  column->addWidget(m_running);
  column->addLayout(m_pages, 1);
  m_emptyPage = makeEmpty();
  m_rowsPage = makeRows();
  m_pages->addWidget(m_emptyPage);
  m_pages->addWidget(m_rowsPage);
  connect(cancel, &QPushButton::clicked, diagnoser, &Diagnoser::cancel);
  connect(diagnoser, &Diagnoser::changed, this, &FailuresPanel::refresh);
  connect(diagnoser, &Diagnoser::progressed, this, &FailuresPanel::showProgress);
  connect(diagnoser, &Diagnoser::stepChanged, this, &FailuresPanel::showStep);
  refresh();
}

QWidget* FailuresPanel::makeEmpty() {
  auto* page = new QWidget;
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(16, 8, 16, 8);
  m_empty = label();
  m_empty->setWordWrap(true);
  m_empty->setAlignment(Qt::AlignCenter);
  m_diagnose = new QPushButton(tr("Diagnose…"));
  column->addStretch(1);
  column->addWidget(m_empty);
  column->addWidget(m_diagnose, 0, Qt::AlignHCenter);
  column->addStretch(1);
  connect(m_diagnose, &QPushButton::clicked, this, &FailuresPanel::diagnoseWanted);
  return page;
}

QWidget* FailuresPanel::makeRows() {
  auto* page = new QWidget;
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  auto* line = new QHBoxLayout;
  line->setContentsMargins(12, 2, 8, 2);
  line->setSpacing(8);
  m_state = label();
  m_state->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  m_all = new QCheckBox(tr("All steps"));
  m_all->setToolTip(tr("Those whose top token stayed, too"));
  m_explain = new QPushButton(tr("Explain this step"));
  m_explain->setToolTip(tr("Runs the model again to say why the step that is looked at fails"));
  m_again = new QPushButton(tr("Diagnose…"));
  line->addWidget(m_state, 1);
  line->addWidget(m_all);
  line->addWidget(m_explain);
  line->addWidget(m_again);
  column->addLayout(line);
  m_table = new QTableWidget;
  m_table->setAccessibleName(tr("Failures"));
  m_table->setColumnCount(kColumns);
  m_table->setHorizontalHeaderLabels({tr("Step"), tr("After token"), tr("Expected"), tr("Got"),
                                      tr("KL, nat"), tr("Ref. margin"), tr("Rank"),
                                      tr("p(expected), %"), tr("Verdict")});
  const auto tip = [this](Column at, const QString& text) {
    m_table->horizontalHeaderItem(at)->setToolTip(text);
  };
  tip(kStep, tr("Predictions behind the quantized prefix, from 0, as --step counts them"));
  tip(kAfter, tr("The token that was read, with its position"));
  tip(kExpected, tr("What the whole cache predicts"));
  tip(kGot, tr("What the quantized cache predicts"));
  tip(kKl, tr("Kullback-Leibler divergence of the quantized cache's prediction"));
  tip(kMargin, tr("The whole cache's largest logit less its second largest"));
  tip(kRank, tr("Of the expected token on the quantized cache; 1 is the top"));
  tip(kShare, tr("Probability of the expected token, whole → quantized"));
  tip(kVerdict,
      tr("Diverged: another top token where the whole cache was decided. Coin-flip: where "
         "its margin was small"));
  for (int i = 0; i < kColumns; ++i) {
    const bool isNumber = i >= kKl && i <= kShare;
    m_table->horizontalHeaderItem(i)->setTextAlignment((isNumber ? Qt::AlignRight : Qt::AlignLeft) |
                                                       Qt::AlignVCenter);
  }
  m_table->verticalHeader()->hide();
  m_table->verticalHeader()->setDefaultSectionSize(kRowHeight);
  m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_table->setSelectionMode(QAbstractItemView::SingleSelection);
  m_table->setShowGrid(false);
  m_table->setFrameShape(QFrame::NoFrame);
  m_table->setWordWrap(false);
  m_table->setFont(Theme::font(Theme::kLabelPx));
  m_table->horizontalHeader()->setFont(Theme::font(Theme::kLabelPx));
  m_table->horizontalHeader()->setHighlightSections(false);
  m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  m_table->horizontalHeader()->setSectionResizeMode(kStep, QHeaderView::ResizeToContents);
  m_table->horizontalHeader()->setSectionResizeMode(kVerdict, QHeaderView::ResizeToContents);
  column->addWidget(m_table, 1);
  connect(m_table, &QTableWidget::currentCellChanged, this, [this](int row) {
    if (!m_filling && row >= 0 && row < m_steps.size()) emit stepChosen(m_steps[row]);
  });
  connect(m_all, &QCheckBox::toggled, this, &FailuresPanel::fill);
  connect(m_again, &QPushButton::clicked, this, &FailuresPanel::diagnoseWanted);
  connect(m_explain, &QPushButton::clicked, this,
          [this] { emit explainWanted(m_diagnoser->step()); });
  return page;
}

void FailuresPanel::setParams(const ScopeParams& params) {
  m_params = params;
  refresh();
}

bool FailuresPanel::isOld() const {
  const SharedDiagnosis& result = m_diagnoser->result();
  return result && !result->isOf(m_params);
}

void FailuresPanel::refresh() {
  const SharedDiagnosis& result = m_diagnoser->result();
  const bool running = m_diagnoser->isRunning();
  m_running->setVisible(running);
  if (running && m_stage->text().isEmpty()) m_stage->setText(tr("Opening the model …"));
  if (!running) {
    m_stage->clear();
    m_progress->setRange(0, 0);
  }
  m_diagnose->setVisible(m_diagnoser->isOffered() && !running);
  m_again->setEnabled(!running);
  if (!result) {
    m_empty->setText(
        !m_diagnoser->isOffered()     ? tr("This program runs no models, so it cannot diagnose.")
        : running                     ? tr("The model runs; what it finds comes here.")
        : m_diagnoser->wasCancelled() ? tr("Cancelled: nothing was found out yet.")
        : !m_diagnoser->error().isEmpty()
            ? QStringLiteral("⚠ ") + m_diagnoser->error()
            : tr("Which predictions does this setting break? A model says it: where the quantized "
                 "cache leaves the whole one, and why."));
    m_pages->setCurrentWidget(m_emptyPage);
    return;
  }
  m_pages->setCurrentWidget(m_rowsPage);
  const auto& steps = result->diagnosis.steps;
  const auto n = [&](StepVerdict verdict) {
    return std::ranges::count(steps, verdict, &DiagnosedStep::verdict);
  };
  QString state = tr("%1 of %2 top tokens changed, %3 of them coin-flips")
                      .arg(n(StepVerdict::diverged) + n(StepVerdict::coin_flip))
                      .arg(steps.size())
                      .arg(n(StepVerdict::coin_flip));
  if (isOld()) {
    state = DiagnosisView::oldText() + QStringLiteral(": %1 · ").arg(settingText(*result)) + state;
  } else if (!m_diagnoser->error().isEmpty()) {
    state = QStringLiteral("⚠ %1 · ").arg(m_diagnoser->error()) + state;
  } else if (m_diagnoser->wasCancelled()) {
    state = tr("cancelled, the one before stands · ") + state;
  }
  m_state->setText(state);
  m_state->setToolTip(state);
  if (m_filled != result) fill();
  color();
  showStep(m_diagnoser->step());
}

void FailuresPanel::fill() {
  m_filled = m_diagnoser->result();
  if (!m_filled) return;
  const DiagnosisResult& result = *m_filled;
  const auto& steps = result.diagnosis.steps;
  m_steps.clear();
  const bool any = std::ranges::any_of(
      steps, [](const DiagnosedStep& step) { return !step.score.score.same_top; });
  for (int i = 0; i < std::ssize(steps); ++i) {
    const bool changed = !steps[static_cast<std::size_t>(i)].score.score.same_top;
    if (changed || !any || m_all->isChecked() || i == result.diagnosis.step) m_steps.push_back(i);
  }
  m_filling = true;
  m_table->setRowCount(static_cast<int>(m_steps.size()));
  for (int row = 0; row < m_steps.size(); ++row) {
    const DiagnosedStep& step = steps[static_cast<std::size_t>(m_steps[row])];
    const MixedScore& score = step.score;
    const QStringList texts{
        QString::number(m_steps[row]),
        readText(result, step),
        tokenText(result, score.expected),
        tokenText(result, score.got),
        numberText(score.score.kl),
        numberText(score.score.margin),
        QString::number(score.rank),
        tr("%1 → %2").arg(numberText(100 * score.p_before), numberText(100 * score.p_after)),
        verdictText(result, m_steps[row])};
    for (int column = 0; column < kColumns; ++column) {
      auto* item = new QTableWidgetItem(texts[column]);
      item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable);
      item->setTextAlignment(
          Qt::Alignment(QFlag(m_table->horizontalHeaderItem(column)->textAlignment())));
      m_table->setItem(row, column, item);
    }
  }
  m_filling = false;
  color();
  showStep(m_diagnoser->step());
}

void FailuresPanel::color() {
  if (!m_filled) return;
  for (int row = 0; row < m_table->rowCount(); ++row) {
    const auto step = static_cast<std::size_t>(m_steps[row]);
    const bool isFirst = m_filled->diagnosis.step == m_steps[row];
    const StepVerdict verdict = m_filled->diagnosis.steps[step].verdict;
    for (int column = 0; column < kColumns; ++column) {
      QTableWidgetItem* item = m_table->item(row, column);
      item->setForeground(isOld() ? m_theme.muted : m_theme.text);
      item->setFont(Theme::font(Theme::kLabelPx, isFirst));
    }
    m_table->item(row, kVerdict)
        ->setForeground(verdict == StepVerdict::diverged ? m_theme.violation : m_theme.muted);
  }
}

void FailuresPanel::showStep(int step) {
  if (!m_diagnoser->result()) return;
  m_explain->setEnabled(!m_diagnoser->isRunning() && step != m_diagnoser->result()->diagnosis.step);
  const qsizetype row = m_steps.indexOf(step);
  m_filling = true;
  if (row >= 0) {
    m_table->selectRow(static_cast<int>(row));
    m_table->scrollToItem(m_table->item(static_cast<int>(row), kStep));
  } else {
    m_table->clearSelection();
  }
  m_filling = false;
}

void FailuresPanel::showProgress(const QString& stage, qint64 done, qint64 total) {
  m_progress->setRange(0, static_cast<int>(total));
  m_progress->setValue(static_cast<int>(std::min(done, total)));
  m_stage->setText(stageText(stage, done, total));
}

QString FailuresPanel::stateText() const {
  return m_pages->currentWidget() == m_emptyPage ? m_empty->text() : m_state->text();
}

void FailuresPanel::setTheme(const Theme& theme) {
  m_theme = theme;
  const auto muted = QStringLiteral("color: %1").arg(theme.muted.name());
  for (QLabel* each : {m_empty, m_state, m_stage}) each->setStyleSheet(muted);
  setStyleSheet(QStringLiteral("#failuresPanel { background: %1; border: 1px solid %2; } "
                               "QTableWidget { background: %1; selection-background-color: %3; "
                               "selection-color: %4; }")
                    .arg(theme.surface.name(), theme.border.name(), theme.accentSoft.name(),
                         theme.text.name()));
  color();
}

}  // namespace qaq::views
