#include "views/plots/attention_map_view.h"

#include "core/analysis/tables.h"
#include "views/plots/number_format.h"

namespace qaq::views {

const Violation* violationOf(const SliceMaps& slice, int step, int token) {
  for (const Violation& violation : slice.violations) {
    if (violation.step == step && violation.token == token) return &violation;
  }
  return nullptr;
}

QString readingText(const SliceMaps& slice, int step, int token) {
  if (!slice.attention || step < 0) return {};
  const float score = slice.attention->at(step, token);
  if (!Heatmap::is_value(score)) return {};
  const CaptureInfo& info = slice.analysis->capture->info();
  const QString reads = AttentionMapView::tr("step %1 reads %2 (tok %3) with %4")
                            .arg(step)
                            .arg(quoted(info.token_text[static_cast<std::size_t>(token)]))
                            .arg(token)
                            .arg(numberText(score));
  const Violation* violation = violationOf(slice, step, token);
  if (!violation) return reads;
  if (violation->window_max <= 0) return reads + AttentionMapView::tr(", after a window of 0");
  return reads + AttentionMapView::tr(", %1 × its window maximum of %2")
                     .arg(numberText(static_cast<double>(violation->score) / violation->window_max),
                          numberText(violation->window_max));
}

AttentionMapView::AttentionMapView(SelectionModel* selection, QWidget* parent)
    : MapView(selection, parent), m_pane(new AttentionPane) {
  addPane(m_pane);
}

void AttentionMapView::present(const SharedSlice& slice) {
  m_slice = slice;
  m_pane->show(slice);
}

std::optional<Cursor> AttentionMapView::cursorOf(const MapPane*, int row, int column,
                                                 const QPointF* click) const {
  Cursor cursor{.side = m_slice->slice.side,
                .layer = m_slice->slice.layer,
                .kvHead = m_slice->slice.kvHead,
                .token = column,
                .step = row};
  // A triangle is larger than its cell: a click on it means the violation.
  if (click) {
    if (const auto violation = m_pane->violationAt(*click)) {
      cursor.step = violation->step;
      cursor.token = violation->token;
    }
  }
  // Above the diagonal there is nothing to read.
  if (cursor.token > cursor.step) return std::nullopt;
  return cursor;
}

MarkedCell AttentionMapView::markOf(const MapPane*, const Cursor& cursor) const {
  MarkedCell mark{.row = {}, .column = cursor.token};
  if (cursor.step != Cursor::kNone) mark.row = cursor.step;
  return mark;
}

void AttentionMapView::lockChanged() {
  const auto& lock = selection()->locked();
  const bool here = lock && m_slice && lock->layer == m_slice->slice.layer &&
                    lock->kvHead == m_slice->slice.kvHead;
  m_pane->setCallout(here ? readingText(*m_slice, lock->step, lock->token) : QString(),
                     here ? lock->step : 0, here ? lock->token : 0);
}

std::optional<Table> AttentionMapView::table() const {
  if (!m_slice || !m_slice->attention) return std::nullopt;
  const Slice& slice = m_slice->slice;
  const CaptureInfo& info = m_slice->analysis->capture->info();
  return attention_table(m_slice->attention, info.layers[static_cast<std::size_t>(slice.layer)],
                         slice.kvHead);
}

}  // namespace qaq::views
