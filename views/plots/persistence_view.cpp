#include "views/plots/persistence_view.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolTip>
#include <chrono>

#include "core/base/text.h"
#include "views/plots/number_format.h"
#include "views/plots/policy_text.h"
#include "views/plots/view_choice.h"

namespace qaq::views {
namespace {

constexpr std::chrono::milliseconds kLate(100);
constexpr Px<int> kSide{12}, kStrip{30};
constexpr int kTableRows = 5;  // that a page shows
const QSize kFigure(930, 520);
constexpr QLatin1String kWhole("whole");  // in viewState()

}  // namespace

PersistenceView::PersistenceView(SelectionModel* selection, QWidget* parent)
    : MapView(selection, parent),
      m_histogram(new PairPane),
      m_ratio(new RatioPane),
      m_heading(new QLabel),
      m_scope(new QComboBox),
      m_table(new ViolationTable),
      m_made([this](const SharedPairs& pairs) { take(pairs); },
             [this](const QString& line) { setMessage(line); }) {
  addPane(m_histogram);
  addPane(m_ratio);
  auto* strip = new QWidget;
  strip->setFixedHeight(kStrip);
  auto* row = new QHBoxLayout(strip);
  row->setContentsMargins(kSide, 2, kSide, 2);
  m_heading->setFont(Theme::font(Theme::kTitlePx, true));
  row->addWidget(m_heading, 1);
  m_scope->addItems({tr("these heads"), tr("whole capture")});
  m_scope->setAccessibleName(tr("Histogram and table of"));
  m_scope->setToolTip(tr("What the histogram and the table are of"));
  row->addWidget(m_scope);
  addBelow(strip);
  addBelow(m_table, kTableRows);
  m_late.setSingleShot(true);
  connect(&m_late, &QTimer::timeout, this, [this] { MapView::setUpdating(true); });
  connect(m_scope, &QComboBox::currentIndexChanged, this,
          [this](int index) { setWhole(index == 1); });
  connect(m_table, &ViolationTable::chosen, this, &PersistenceView::lockViolation);
  // A bin is no cell of the capture: arrow keys go from violation to violation.
  connect(m_histogram, &MapPane::cursorStepped, this,
          [this](int rows, int columns) { m_table->stepRow(rows + columns); });
  connect(m_histogram, &MapPane::cellHovered, this, [this](int bin, int column) {
    QToolTip::showText(QCursor::pos(), m_pairs ? m_histogram->binText(bin, column) : QString(),
                       m_histogram);
  });
}

void PersistenceView::setWhole(bool isWhole) {
  m_scope->setCurrentIndex(isWhole ? 1 : 0);
  if (m_isWhole == isWhole) return;
  m_isWhole = isWhole;
  if (m_slice) request();
}

void PersistenceView::present(const SharedSlice& slice) {
  if (slice->analysis->capture->info().profile == AttentionProfile::none) {
    setMessage(
        tr("This capture holds no attention. Capture again with --attention full or derive."));
    return;
  }
  if (!slice->analysis->params.uses_qaq()) {
    setMessage(tr("%1 goes by no importance, so that there is no window to hold against what came "
                  "later. %2")
                   .arg(policyName(slice->analysis->params), backToQaq()));
    return;
  }
  // Until violations are known the last picture stays.
  if (!slice->analysis->violations) return;
  m_slice = slice;
  request();
}

void PersistenceView::request() {
  m_made.request([slice = m_slice, isWhole = m_isWhole, previous = m_pairs](const Work& work) {
    return loadPairs(slice, isWhole, previous, work);
  });
  if (!m_late.isActive()) m_late.start(kLate);
}

void PersistenceView::setUpdating(bool updating) {
  m_updating = updating;
  MapView::setUpdating(updating || (!isReady() && !m_late.isActive()));
}

void PersistenceView::take(const SharedPairs& pairs) {
  m_pairs = pairs;
  m_late.stop();
  MapView::setUpdating(m_updating);
  m_message.clear();
  m_histogram->show(pairs);
  m_ratio->show(pairs);
  m_table->setPairs(pairs);
  m_heading->setText(
      counted(pairs->counts->histogram.n_violations, tr("1 violation"), tr("%1 violations")));
  mapsShown();
}

QJsonObject PersistenceView::viewState() const {
  QJsonObject state = MapView::viewState();
  if (m_isWhole) state[kWhole] = true;
  return state;
}

void PersistenceView::setViewState(const QJsonObject& state) {
  setWhole(state.value(kWhole).toBool());
  MapView::setViewState(state);
}

void PersistenceView::setMessage(const QString& text) {
  m_message = text;
  m_late.stop();
  m_slice = nullptr;
  m_pairs = nullptr;
  m_table->setPairs(nullptr);
  m_heading->clear();
  MapView::setMessage(text);
}

void PersistenceView::setTheme(const Theme& theme) {
  MapView::setTheme(theme);
  m_table->setTheme(theme);
  m_heading->setStyleSheet(QStringLiteral("color: %1").arg(theme.text.name()));
}

QSize PersistenceView::figureSize() const { return kFigure; }

std::optional<Table> PersistenceView::table() const {
  if (!m_pairs) return std::nullopt;
  return pair_histogram_table(m_pairs->counts->histogram);
}

QString PersistenceView::summary() const {
  if (!m_pairs) return m_message;
  const PairHistogram& histogram = m_pairs->counts->histogram;
  const ViolationParams& params = m_pairs->slice->analysis->violationParams;
  const auto plain = [](double number) { return QString::fromStdString(number_text(number)); };
  const auto number = [](std::int64_t n) { return QLocale().toString(static_cast<qlonglong>(n)); };
  return tr("%1: %2 of %3 (%4) are violations, with more than %5 times the largest score of the "
            "%6 rows before and more than %7 fair shares.")
      .arg(m_histogram->header()->text(), number(histogram.n_violations),
           counted(histogram.n_pairs, tr("1 pair"), tr("%1 pairs")),
           shareText(histogram.violation_share()), plain(params.violation_ratio),
           number(histogram.window), plain(params.violation_floor));
}

Cursor PersistenceView::cursorAt(const Violation& violation) const {
  const auto group = static_cast<int>(m_pairs->slice->analysis->capture->info().shape.group_size());
  return {.side = m_pairs->slice->slice.side,
          .layer = violation.layer,
          .kvHead = violation.head / group,
          .token = violation.token,
          .step = violation.step};
}

void PersistenceView::lockViolation(const Violation& violation) {
  selection()->lock(cursorAt(violation));
}

std::optional<Cursor> PersistenceView::cursorOf(const MapPane* pane, int row, int column,
                                                const QPointF* click) const {
  if (!m_pairs) return std::nullopt;
  // A triangle is larger than its cell: a click on it means the violation.
  if (click) {
    const auto violation =
        pane == m_histogram ? m_histogram->violationAt(*click) : m_ratio->violationAt(*click);
    if (violation) return cursorAt(*violation);
  }
  if (pane == m_histogram || column > row) return std::nullopt;
  const Slice& slice = m_pairs->slice->slice;
  return Cursor{.side = slice.side,
                .layer = slice.layer,
                .kvHead = slice.kvHead,
                .token = column,
                .step = row};
}

MarkedCell PersistenceView::markOf(const MapPane* pane, const Cursor& cursor) const {
  if (pane == m_ratio) {
    MarkedCell mark{.row = {}, .column = cursor.token};
    if (cursor.step != Cursor::kNone) mark.row = cursor.step;
    return mark;
  }
  // The pairs that are known one by one are the slice's.
  const bool here = m_pairs && cursor.layer == m_pairs->slice->slice.layer &&
                    cursor.kvHead == m_pairs->slice->slice.kvHead;
  return here ? m_histogram->placeOf(cursor.step, cursor.token) : MarkedCell{};
}

void PersistenceView::lockChanged() { m_table->mark(selection()->locked()); }

}  // namespace qaq::views
