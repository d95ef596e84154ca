#include "views/plots/violation_table.h"

#include <QHeaderView>
#include <cmath>

#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr Px<int> kRowHeight{24};

}  // namespace

void ViolationModel::setPairs(const SharedPairs& pairs) {
  // Another head to look at changes no row: the table stays where it was scrolled to.
  const bool isSame = m_pairs && pairs && m_pairs->counts == pairs->counts;
  if (!isSame) beginResetModel();
  m_pairs = pairs;
  if (!isSame) endResetModel();
}

const Violation& ViolationModel::violation(int row) const {
  return m_pairs->counts->jumps[static_cast<std::size_t>(row)];
}

int ViolationModel::rowOf(const Cursor& cursor) const {
  if (!m_pairs) return -1;
  const auto group = static_cast<int>(m_pairs->slice->analysis->capture->info().shape.group_size());
  for (int row = 0; row < rowCount(); ++row) {
    const Violation& own = violation(row);
    if (own.token == cursor.token && own.step == cursor.step && own.layer == cursor.layer &&
        own.head / group == cursor.kvHead) {
      return row;
    }
  }
  return -1;
}

int ViolationModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() || !m_pairs ? 0 : static_cast<int>(m_pairs->counts->jumps.size());
}

int ViolationModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : kColumns;
}

QVariant ViolationModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  if (role == Qt::TextAlignmentRole) {
    const bool isText = index.column() == kToken;
    return QVariant(Qt::AlignVCenter | (isText ? Qt::AlignLeft : Qt::AlignRight));
  }
  if (role != Qt::DisplayRole) return {};
  const Violation& own = violation(index.row());
  const CaptureInfo& info = m_pairs->slice->analysis->capture->info();
  switch (index.column()) {
    case kLayer:
      return QString::number(info.layers[static_cast<std::size_t>(own.layer)]);
    case kHead:
      return QString::number(own.head);
    case kStep:
      return QString::number(own.step);
    case kToken:
      return QStringLiteral("%1  %2").arg(own.token).arg(
          quoted(info.token_text[static_cast<std::size_t>(own.token)]));
    case kScore:
      return numberText(own.score);
    case kWindowMax:
      return numberText(own.window_max);
    case kRatio:
      return std::isinf(jump_ratio(own)) ? tr("from 0") : numberText(jump_ratio(own)) + tr(" ×");
  }
  return {};
}

QVariant ViolationModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) {
    return QVariant(Qt::AlignVCenter | (section == kToken ? Qt::AlignLeft : Qt::AlignRight));
  }
  if (role == Qt::ToolTipRole && section == kRatio) {
    return tr("score / window maximum; the largest is first");
  }
  if (role == Qt::ToolTipRole && section == kWindowMax) {
    return tr("the largest score of the token in the rows before the step");
  }
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case kLayer:
      return tr("layer");
    case kHead:
      return tr("query head");
    case kStep:
      return tr("step");
    case kToken:
      return tr("token");
    case kScore:
      return tr("score");
    case kWindowMax:
      return tr("window max");
    case kRatio:
      return tr("ratio ▼");
  }
  return {};
}

ViolationTable::ViolationTable(QWidget* parent) : QTableView(parent) {
  setModel(&m_model);
  setSelectionBehavior(SelectRows);
  setSelectionMode(SingleSelection);
  setEditTriggers(NoEditTriggers);
  setShowGrid(false);
  setWordWrap(false);
  setHorizontalScrollMode(ScrollPerPixel);
  setFrameShape(QFrame::NoFrame);
  setFont(Theme::font(Theme::kLabelPx));
  setAccessibleName(tr("Violations of importance persistence, the largest ratio first"));
  verticalHeader()->hide();
  verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
  verticalHeader()->setDefaultSectionSize(kRowHeight);
  QHeaderView* header = horizontalHeader();
  header->setFont(Theme::font(Theme::kTickPx));
  header->setHighlightSections(false);
  header->setFixedHeight(kRowHeight);
  header->setSectionResizeMode(QHeaderView::Stretch);
  setMinimumHeight(3 * kRowHeight);
}

void ViolationTable::setPairs(const SharedPairs& pairs) {
  m_marking = true;
  m_model.setPairs(pairs);
  m_marking = false;
}

void ViolationTable::setTheme(const Theme& theme) {
  setStyleSheet(QStringLiteral("QTableView { background: %1; color: %2;"
                               " selection-background-color: %3; selection-color: %2; }"
                               "QHeaderView { background: %4; }"
                               "QHeaderView::section { background: %4; color: %5; border: 0;"
                               " border-bottom: 1px solid %6; padding: 0 6px; }")
                    .arg(theme.surface.name(), theme.text.name(), theme.accentSoft.name(),
                         theme.raised.name(), theme.muted.name(), theme.border.name()));
}

void ViolationTable::mark(const std::optional<Cursor>& cursor) {
  const int row = cursor ? m_model.rowOf(*cursor) : -1;
  m_marking = true;
  if (row < 0) {
    setCurrentIndex({});
    clearSelection();
  } else if (row != currentIndex().row()) {
    setCurrentIndex(m_model.index(row, 0));
  }
  m_marking = false;
}

void ViolationTable::stepRow(int by) {
  const int n = m_model.rowCount();
  if (n == 0) return;
  const int row = currentIndex().isValid() ? currentIndex().row() + by : 0;
  setCurrentIndex(m_model.index(std::clamp(row, 0, n - 1), 0));
}

void ViolationTable::currentChanged(const QModelIndex& current, const QModelIndex& previous) {
  QTableView::currentChanged(current, previous);
  if (!m_marking && current.isValid()) emit chosen(m_model.violation(current.row()));
}

}  // namespace qaq::views
