#include "views/panels/inspector_panel.h"

#include <QGridLayout>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

#include "views/panels/cell_detail.h"
#include "views/panels/cell_facts.h"

namespace qaq::views {
namespace {

constexpr int kRestMs = 80;

bool sameCell(const Cursor& a, const Cursor& b) {
  return a.side == b.side && a.layer == b.layer && a.kvHead == b.kvHead && a.token == b.token;
}

}  // namespace

InspectorPanel::InspectorPanel(SelectionModel* selection, QWidget* parent)
    : QWidget(parent),
      m_selection(selection),
      m_here(new QLabel(tr("here"))),
      m_there(new QLabel(tr("◇ pinned"))),
      m_currentJob(
          [this](const SharedKnown& known) {
            m_current.known = known;
            refresh();
          },
          [this](const QString&) { m_current.known.reset(); }),
      m_pinnedJob(
          [this](const SharedKnown& known) {
            m_pinned.known = known;
            refresh();
          },
          [this](const QString&) { m_pinned.known.reset(); }) {
  setAccessibleName(tr("Inspector"));
  setObjectName(QStringLiteral("inspectorPanel"));
  setAttribute(Qt::WA_StyledBackground);
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  auto* scroll = new QScrollArea;
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  auto* body = new QWidget;
  // The panel's own ground shows through.
  scroll->viewport()->setAutoFillBackground(false);
  scroll->setWidget(body);
  body->setAutoFillBackground(false);
  outer->addWidget(scroll);
  auto* grid = new QGridLayout(body);
  grid->setContentsMargins(12, 8, 12, 8);
  grid->setVerticalSpacing(4);
  grid->setHorizontalSpacing(14);
  grid->addWidget(m_here, 0, 1);
  grid->addWidget(m_there, 0, 2);
  const QStringList names =
      QStringList{tr("Token"),         tr("Cell"),        tr("Bits K, V"), tr("Kept exact, K"),
                  tr("Kept exact, V"), tr("Error K"),     tr("Error V"),   tr("|value|"),
                  tr("Attention"),     tr("Largest jump")} +
      CellDetail::names();
  for (const QString& name : names) {
    const int row = static_cast<int>(m_names.size()) + 1;
    m_names.push_back(new QLabel(name));
    grid->addWidget(m_names.back(), row, 0, Qt::AlignLeft | Qt::AlignTop);
    for (Column* column : {&m_current, &m_pinned}) {
      auto* value = new QLabel;
      value->setTextInteractionFlags(Qt::TextSelectableByMouse);
      value->setWordWrap(true);
      column->values.push_back(value);
      grid->addWidget(value, row, column == &m_current ? 1 : 2, Qt::AlignTop);
    }
  }
  grid->setRowStretch(static_cast<int>(m_names.size()) + 1, 1);
  grid->setColumnStretch(1, 1);
  m_rest.setSingleShot(true);
  m_rest.setInterval(kRestMs);
  connect(&m_rest, &QTimer::timeout, this, &InspectorPanel::ask);
  const auto changed = [this] {
    refresh();
    m_rest.start();
  };
  connect(selection, &SelectionModel::hoverChanged, this, changed);
  connect(selection, &SelectionModel::lockChanged, this, changed);
  connect(selection, &SelectionModel::pinChanged, this, changed);
  refresh();
}

void InspectorPanel::show(const SharedSlice& slice) {
  m_slice = slice;
  refresh();
  m_rest.start();
}

void InspectorPanel::setTheme(const Theme& theme) {
  m_theme = theme;
  const auto muted = QStringLiteral("color: %1").arg(theme.muted.name());
  for (QLabel* name : m_names) name->setStyleSheet(muted);
  m_here->setStyleSheet(muted);
  m_there->setStyleSheet(QStringLiteral("color: %1").arg(theme.accent.name()));
  refresh();
}

void InspectorPanel::ask() {
  request(m_currentJob, m_current, m_selection->current());
  request(m_pinnedJob, m_pinned, m_selection->pinned());
}

void InspectorPanel::request(Derived<Known>& job, const Column& column,
                             const std::optional<Cursor>& cursor) {
  if (!m_slice || !cursor) return;
  const SharedAnalysis& analysis = m_slice->analysis;
  if (!analysis->params.is_qaq()) return;  // no formula to go by
  const CaptureInfo& info = analysis->capture->info();
  if (cursor->layer >= info.n_captured_layers() || cursor->token >= info.n_tokens) return;
  const bool sameBits = column.known && column.known->analysis->replay == analysis->replay;
  if (sameBits && sameCell(column.known->cursor, *cursor)) return;
  job.request([analysis, at = *cursor](const Work& work) {
    const CaptureView& capture = *analysis->capture;
    const ReplayOptions options{.params = analysis->params.qaq, .prefix = analysis->replay->prefix};
    const CellAddress cell{.side = at.side,
                           .layer = capture.info().layers[static_cast<std::size_t>(at.layer)],
                           .kv_head = at.kvHead,
                           .token = at.token};
    return std::make_shared<const Known>(
        Known{at, analysis,
              summarize_cell(capture, options.params.gqa_reduce,
                             explain_cell(capture, options, cell, work), work)});
  });
}

bool InspectorPanel::isReady() const {
  return !m_rest.isActive() && m_currentJob.isReady() && m_pinnedJob.isReady();
}

QList<QPair<QString, QString>> InspectorPanel::rowsOf(const Column& column) const {
  QList<QPair<QString, QString>> out;
  for (int row = 0; row < m_names.size(); ++row) {
    out.push_back({m_names[row]->text(), column.values[row]->text()});
  }
  return out;
}

QList<QPair<QString, QString>> InspectorPanel::rows() const { return rowsOf(m_current); }

QList<QPair<QString, QString>> InspectorPanel::pinnedRows() const {
  return m_selection->pinned() ? rowsOf(m_pinned) : QList<QPair<QString, QString>>();
}

void InspectorPanel::setText(QLabel* label, const QString& text, bool alarm) {
  label->setText(text.isEmpty() ? QStringLiteral("–") : text);
  const QColor color = text.isEmpty() ? m_theme.faint : alarm ? m_theme.violation : m_theme.text;
  label->setStyleSheet(QStringLiteral("color: %1").arg(color.name()));
}

void InspectorPanel::fill(Column& column, const std::optional<Cursor>& cursor) {
  const CellFacts facts = m_slice && cursor ? CellFacts::of(*m_slice, *cursor) : CellFacts();
  int row = 0;
  const auto set = [&](const QString& text, bool alarm = false) {
    setText(column.values[row++], text, alarm);
  };
  set(facts.token.isEmpty() ? tr("point at a cell, or click to lock it") : facts.token);
  set(facts.cell);
  set(facts.key.bits.isEmpty() ? QString()
                               : facts.key.bits + QStringLiteral(", ") + facts.value.bits);
  set(facts.key.outliers);
  set(facts.value.outliers);
  set(facts.key.error);
  set(facts.value.error);
  set(facts.magnitude);
  set(facts.attention);
  set(facts.violation, true);
  const bool known = column.known && cursor && sameCell(column.known->cursor, *cursor) && m_slice &&
                     column.known->analysis->capture == m_slice->analysis->capture &&
                     m_slice->analysis->params.is_qaq();
  if (!known) {
    // Numbers of another cell would be taken for this one's.
    const bool coming = !facts.cell.isEmpty() && m_slice->analysis->params.is_qaq();
    while (row < m_names.size()) set(coming ? QStringLiteral("…") : QString());
    return;
  }
  const CellDetail detail = CellDetail::of(
      column.known->summary, column.known->analysis->params.violation.violation_ratio);
  for (int i = 0; i < detail.texts.size(); ++i) {
    set(detail.texts[i], detail.jumped && i == CellDetail::kAfterwards);
  }
}

void InspectorPanel::refresh() {
  fill(m_current, m_selection->current());
  const bool pinned = m_selection->pinned().has_value();
  m_here->setVisible(pinned);
  m_there->setVisible(pinned);
  for (QLabel* value : m_pinned.values) value->setVisible(pinned);
  if (pinned) fill(m_pinned, m_selection->pinned());
}

}  // namespace qaq::views
