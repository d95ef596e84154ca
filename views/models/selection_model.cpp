#include "views/models/selection_model.h"

#include <algorithm>

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
  m_slice = inside(start);
  emit sliceChanged();
  emit hoverChanged();
  emit lockChanged();
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

void SelectionModel::lock(Cursor cursor) {
  cursor.layer = within(cursor.layer, m_layers);
  cursor.kvHead = within(cursor.kvHead, m_kvHeads);
  cursor.token = within(cursor.token, m_tokens);
  if (cursor.step >= m_tokens) cursor.step = Cursor::kNone;
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

}  // namespace qaq::views
