#pragma once

#include <QObject>
#include <optional>

#include "core/replay/capture_view.h"
#include "views/models/slice.h"

namespace qaq::views {

/// The one selection that all views share: the slice, the cell under the pointer and the locked
/// cell. Views never talk to each other, only to this. All coordinates are kept inside the capture.
class SelectionModel : public QObject {
  Q_OBJECT

 public:
  explicit SelectionModel(QObject* parent = nullptr);

  /// Sizes that coordinates are held to. Drops hover and lock, and takes `start` as the slice.
  void reset(const CaptureInfo& info, const Slice& start);

  const Slice& slice() const { return m_slice; }
  const std::optional<Cursor>& hovered() const { return m_hovered; }
  const std::optional<Cursor>& locked() const { return m_locked; }
  /// The hovered cell, else the locked one.
  const std::optional<Cursor>& current() const { return m_hovered ? m_hovered : m_locked; }

  void setSlice(Slice slice);
  /// Steps that stop at the ends; a lock moves along.
  void stepLayer(int by);
  void stepHead(int by);
  void setSide(CacheSide side);

  void hover(const std::optional<Cursor>& cursor);
  /// Locks a cell; the slice follows it.
  void lock(Cursor cursor);
  void unlock();

 signals:
  void sliceChanged();
  void hoverChanged();
  void lockChanged();

 private:
  Slice inside(Slice slice) const;

  int m_layers = 0;
  int m_kvHeads = 0;
  int m_groupSize = 1;
  int m_tokens = 0;
  Slice m_slice;
  std::optional<Cursor> m_hovered;
  std::optional<Cursor> m_locked;
};

}  // namespace qaq::views
