#include "views/shell/status_line.h"

#include <QDateTime>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>

#include "views/panels/cell_facts.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr qint64 kProgressAfterMs = 1000;

/// "V · L14 · KVH1 · tok 56 “ vessel” · 1 bit · step 84: 0.85".
QString readOut(const SliceMaps& slice, const Cursor& cursor) {
  const CellFacts facts = CellFacts::of(slice, cursor);
  if (facts.token.isEmpty()) return {};
  const QString& bits = cursor.side == CacheSide::key ? facts.key.bits : facts.value.bits;
  QString text = coordinateText(slice.analysis->capture->info(), cursor);
  bool counted_bits = false;
  const int width = bits.toInt(&counted_bits);
  text +=
      QStringLiteral(" · ") +
      (counted_bits ? counted(width, StatusLine::tr("1 bit"), StatusLine::tr("%1 bits")) : bits);
  for (const QString& more : {facts.magnitude, facts.attention}) {
    if (!more.isEmpty()) text += QStringLiteral(" · ") + more;
  }
  return text;
}

}  // namespace

StatusLine::StatusLine(Workspace* workspace, QWidget* parent)
    : QStatusBar(parent),
      m_workspace(workspace),
      m_file(new QLabel),
      m_cursor(new QLabel),
      m_error(new QLabel),
      m_progress(new QProgressBar),
      m_cancel(new QPushButton(tr("Cancel"))),
      m_result(new QLabel) {
  setSizeGripEnabled(false);
  for (QLabel* label : {m_file, m_cursor, m_error}) addWidget(label);
  m_progress->setFixedWidth(160);
  m_progress->setTextVisible(false);
  for (QWidget* widget : std::initializer_list<QWidget*>{m_progress, m_cancel, m_result}) {
    addPermanentWidget(widget);
  }
  hideProgress();
  m_error->hide();
  SelectionModel& selection = workspace->selection();
  connect(&selection, &SelectionModel::hoverChanged, this, &StatusLine::showCursor);
  connect(&selection, &SelectionModel::lockChanged, this, &StatusLine::showCursor);
  connect(workspace, &Workspace::changed, this, &StatusLine::showResult);
  connect(workspace, &Workspace::failed, this, &StatusLine::setError);
  ReplayRunner& runner = workspace->runner();
  connect(&runner, &ReplayRunner::started, this,
          [this] { m_startedMs = QDateTime::currentMSecsSinceEpoch(); });
  connect(&runner, &ReplayRunner::progressed, this, &StatusLine::showProgress);
  connect(&runner, &ReplayRunner::settled, this, &StatusLine::hideProgress);
  connect(m_cancel, &QPushButton::clicked, workspace, &Workspace::cancel);
}

QString StatusLine::cursorText() const { return m_cursor->text(); }
QString StatusLine::errorText() const { return m_error->text(); }

void StatusLine::setTheme(const Theme& theme) {
  // A style sheet of the bar would undo that of the window.
  m_error->setStyleSheet(QStringLiteral("color: %1").arg(theme.warning.name()));
}

void StatusLine::setError(const QString& line) {
  m_error->setText(QStringLiteral("⚠ ") + line);
  m_error->show();
  emit refused(line);
}

void StatusLine::showCursor() {
  const auto& cursor = m_workspace->selection().current();
  const SharedSlice& shown = m_workspace->shown();
  m_cursor->setText(cursor && shown ? readOut(*shown, *cursor) : QString());
}

void StatusLine::showResult() {
  const SharedSlice& shown = m_workspace->shown();
  const ReplayResult& replay = *shown->analysis->replay;
  m_error->hide();
  m_error->clear();
  m_file->setText(QString::fromStdString(shown->analysis->capture->info().name));
  QString text = tr("nominal %1× · packed %2×")
                     .arg(numberText(replay.ratio_nominal), numberText(replay.ratio_packed));
  if (shown->analysis->violations) {
    text += QStringLiteral(" · ") +
            counted(static_cast<std::int64_t>(shown->analysis->violations->violations.size()),
                    tr("1 violation in all heads"), tr("%1 violations in all heads"));
  }
  m_result->setText(text);
  showCursor();
}

void StatusLine::showProgress(const QString& stage, qint64 done, qint64 total) {
  if (QDateTime::currentMSecsSinceEpoch() - m_startedMs < kProgressAfterMs) return;
  m_progress->setRange(0, static_cast<int>(total));
  m_progress->setValue(static_cast<int>(done));
  m_progress->setAccessibleName(stage);
  m_progress->show();
  m_cancel->show();
}

void StatusLine::hideProgress() {
  m_progress->hide();
  m_cancel->hide();
}

}  // namespace qaq::views
