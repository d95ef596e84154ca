#include "views/models/selection_model.h"

#include <algorithm>
#include <utility>

namespace qaq::views {
namespace {

int within(int value, int count) { return std::clamp(value, 0, std::max(0, count - 1)); }

}  // namespace

SelectionModel::SelectionModel(QObject* parent) : QObject(parent) {}

void SelectionModel::reset(const CaptureInfo& info, const Slice& start) {
  m_layers = static_cast<int>(info.n_captured_layers());
  m_kvHeads = static_cast<int>(info.shape.n_kv_heads);
  m_groupSize = static_cast<int>(info.shape.group_size());
  m_tokens = static_cast<int>(info.n_tokens);
  m_hovered.reset();
  m_locked.reset();
  m_pinned.reset();
  m_slice = inside(start);
  m_shape = {.n_layers = m_layers, .n_kv_heads = m_kvHeads, .n_tokens = m_tokens};
  m_layerNumbers = info.layers;
  m_modelLayers = static_cast<int>(info.shape.n_layers);
  m_selected = SelectionSet(m_shape);
  m_filters.clear();
  m_anchor = 0;
  emit sliceChanged();
  emit hoverChanged();
  emit lockChanged();
  emit pinChanged();
  emit selectionChanged();
  emit filterChanged();
}

Slice SelectionModel::inside(Slice slice) const {
  slice.layer = within(slice.layer, m_layers);
  slice.kvHead = within(slice.kvHead, m_kvHeads);
  // A query head of another KV head means nothing here: fall back to the group.
  if (slice.queryHead / m_groupSize != slice.kvHead || slice.queryHead < 0) {
    slice.queryHead = Slice::kGroup;
  }
  return slice;
}

void SelectionModel::setSlice(Slice slice) {
  slice = inside(slice);
  if (slice == m_slice) return;
  m_slice = slice;
  if (m_locked) {
    m_locked->side = slice.side;
    m_locked->layer = slice.layer;
    m_locked->kvHead = slice.kvHead;
  }
  emit sliceChanged();
  if (m_locked) emit lockChanged();
}

void SelectionModel::stepLayer(int by) {
  Slice slice = m_slice;
  slice.layer = within(slice.layer + by, m_layers);
  setSlice(slice);
}

void SelectionModel::stepHead(int by) {
  Slice slice = m_slice;
  slice.kvHead = within(slice.kvHead + by, m_kvHeads);
  setSlice(slice);
}

void SelectionModel::setSide(CacheSide side) {
  Slice slice = m_slice;
  slice.side = side;
  setSlice(slice);
}

void SelectionModel::hover(const std::optional<Cursor>& cursor) {
  if (cursor == m_hovered) return;
  m_hovered = cursor;
  emit hoverChanged();
}

Cursor SelectionModel::inside(Cursor cursor) const {
  cursor.layer = within(cursor.layer, m_layers);
  cursor.kvHead = within(cursor.kvHead, m_kvHeads);
  cursor.token = within(cursor.token, m_tokens);
  if (cursor.step >= m_tokens) cursor.step = Cursor::kNone;
  return cursor;
}

void SelectionModel::lock(Cursor cursor) {
  cursor = inside(cursor);
  m_locked = cursor;
  Slice slice = m_slice;
  slice.side = cursor.side;
  slice.layer = cursor.layer;
  slice.kvHead = cursor.kvHead;
  slice = inside(slice);
  if (slice != m_slice) {
    m_slice = slice;
    emit sliceChanged();
  }
  emit lockChanged();
}

void SelectionModel::unlock() {
  if (!m_locked) return;
  m_locked.reset();
  emit lockChanged();
}

void SelectionModel::pin() {
  if (m_locked) setPinned(m_locked);
}

void SelectionModel::setPinned(const std::optional<Cursor>& cursor) {
  const std::optional<Cursor> next = cursor ? std::optional(inside(*cursor)) : std::nullopt;
  if (next == m_pinned) return;
  m_pinned = next;
  emit pinChanged();
}

void SelectionModel::select(const SelectionSet& cells) {
  if (cells.shape() != m_shape || cells == m_selected) return;
  m_selected = cells;
  emit selectionChanged();
}

void SelectionModel::setMode(SelectMode mode) {
  if (mode == m_mode) return;
  m_mode = mode;
  emit modeChanged();
}

void SelectionModel::setBoxTool(bool on) {
  if (on == m_boxTool) return;
  m_boxTool = on;
  emit modeChanged();
}

void SelectionModel::apply(const SelectionSet& cells, std::optional<SelectOp> op) {
  if (cells.shape() != m_shape) return;
  const bool makes = !op && m_mode == SelectMode::make;
  if (!op) {
    op = m_mode == SelectMode::add         ? SelectOp::add
         : m_mode == SelectMode::intersect ? SelectOp::intersect
         : m_mode == SelectMode::remove    ? SelectOp::remove
                                           : SelectOp::replace;
  }
  select(m_selected.combined(*op, cells));
  if (makes && !cells.empty()) emit made(cells);
}

void SelectionModel::click(const Cursor& cursor, Qt::KeyboardModifiers modifiers) {
  click(cursor, {cursor.token, cursor.token}, modifiers);
}

void SelectionModel::click(const Cursor& cursor, const TokenRange& tokens,
                           Qt::KeyboardModifiers modifiers) {
  if (modifiers & Qt::ShiftModifier) {
    select(SelectionSet::of_tokens(
        m_shape, std::vector<TokenRange>{
                     {std::min(m_anchor, tokens.first), std::max(m_anchor, tokens.last)}}));
    return;
  }
  m_anchor = tokens.first;
  const auto cells = SelectionSet::of_tokens(m_shape, std::vector<TokenRange>{tokens});
  if (modifiers & Qt::ControlModifier) {
    apply(cells, SelectOp::toggle);
  } else if (modifiers & Qt::AltModifier) {
    apply(cells, SelectOp::remove);
  } else {
    lock(cursor);
    apply(cells, std::nullopt);
  }
}

void SelectionModel::drag(const SelectionSet& cells, Qt::KeyboardModifiers modifiers) {
  std::optional<SelectOp> op;
  if (modifiers & Qt::ShiftModifier) {
    op = SelectOp::add;
  } else if (modifiers & Qt::ControlModifier) {
    op = SelectOp::toggle;
  } else if (modifiers & Qt::AltModifier) {
    op = SelectOp::remove;
  }
  const std::vector<TokenRange> tokens = cells.tokens();
  if (!tokens.empty()) m_anchor = tokens.front().first;
  apply(cells, op);
}

void SelectionModel::extendTo(const Cursor& cursor) {
  if (m_selected.empty() && m_locked) m_anchor = m_locked->token;
  lock(cursor);
  click(cursor, Qt::ShiftModifier);
}

void SelectionModel::pushFilter() {
  const SelectionSet next =
      m_filters.empty() ? m_selected : m_filters.back().combined(SelectOp::intersect, m_selected);
  if (next.empty() || (filter() != nullptr && next == *filter())) return;
  m_filters.push_back(next);
  emit filterChanged();
}

void SelectionModel::popFilter() {
  if (m_filters.empty()) return;
  m_filters.pop_back();
  emit filterChanged();
}

void SelectionModel::clearFilters() { setFilters({}); }

void SelectionModel::setFilters(std::vector<SelectionSet> filters) {
  std::erase_if(filters, [this](const SelectionSet& one) { return one.shape() != m_shape; });
  if (filters == m_filters) return;
  m_filters = std::move(filters);
  emit filterChanged();
}

}  // namespace qaq::views
