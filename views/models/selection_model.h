#pragma once

#include <QObject>
#include <optional>
#include <vector>

#include "core/analysis/selection_set.h"
#include "core/replay/capture_view.h"
#include "views/models/slice.h"

namespace qaq::views {

/// What a gesture without a modifier does to the selected set. `make`: replaces it, and keeps what
/// is selected as a slice of its own.
enum class SelectMode { make, replace, add, intersect, remove };

/// The one selection that all views share: the slice, the cell under the pointer, the locked cell,
/// the pinned one, and the selected set of cells. Views never talk to each other, only to this. All
/// coordinates are kept inside the capture.
///
/// Gestures are the same in all views. A click locks its cell and selects its tokens by mode();
/// with Shift it selects from the last click to here, with Ctrl it adds or takes out, with Alt it
/// takes out. Dragging a box does the same with what lies in it, but for Shift, which adds.
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

  /// A coordinate kept as a reference, beside the locked one.
  const std::optional<Cursor>& pinned() const { return m_pinned; }
  /// Pins the locked cell; nothing where none is locked.
  void pin();
  void setPinned(const std::optional<Cursor>& cursor);
  void unpin() { setPinned(std::nullopt); }

  /// Of sets of the capture's cells.
  const SelectionShape& shape() const { return m_shape; }
  /// The model's numbers of the captured layers.
  const std::vector<std::int32_t>& layerNumbers() const { return m_layerNumbers; }
  int modelLayers() const { return m_modelLayers; }
  const SelectionSet& selected() const { return m_selected; }
  /// The set as a whole, whatever the mode. Of another shape: nothing happens.
  void select(const SelectionSet& cells);
  void clearSelection() { select(SelectionSet(m_shape)); }
  SelectMode mode() const { return m_mode; }
  void setMode(SelectMode mode);
  /// While the tool is on, dragging without a modifier selects boxes.
  bool isBoxTool() const { return m_boxTool; }
  void setBoxTool(bool on);
  /// A click on `cursor`, which stands for `tokens` where a view shows words; all layers and heads.
  void click(const Cursor& cursor, Qt::KeyboardModifiers modifiers);
  void click(const Cursor& cursor, const TokenRange& tokens, Qt::KeyboardModifiers modifiers);
  /// A box around `cells`.
  void drag(const SelectionSet& cells, Qt::KeyboardModifiers modifiers);
  /// The keyboard's cursor moved on to `cursor`, with Shift: locks it and selects from the last
  /// click to here.
  void extendTo(const Cursor& cursor);

  /// What tables and texts are limited to, oldest first; each lies within the one before.
  const std::vector<SelectionSet>& filters() const { return m_filters; }
  /// Null: no filter.
  const SelectionSet* filter() const { return m_filters.empty() ? nullptr : &m_filters.back(); }
  /// Limits what is shown to the selected set; without one, or where nothing would be left, nothing
  /// happens.
  void pushFilter();
  void popFilter();
  void clearFilters();
  void setFilters(std::vector<SelectionSet> filters);

 signals:
  void sliceChanged();
  void hoverChanged();
  void lockChanged();
  void pinChanged();
  void selectionChanged();
  void filterChanged();
  /// mode() or isBoxTool().
  void modeChanged();
  /// In mode `make`: a gesture selected these.
  void made(const qaq::SelectionSet& cells);

 private:
  Slice inside(Slice slice) const;
  Cursor inside(Cursor cursor) const;
  void apply(const SelectionSet& cells, std::optional<SelectOp> op);

  int m_layers = 0;
  int m_kvHeads = 0;
  int m_groupSize = 1;
  int m_tokens = 0;
  Slice m_slice;
  std::optional<Cursor> m_hovered;
  std::optional<Cursor> m_locked;
  std::optional<Cursor> m_pinned;
  SelectionShape m_shape;
  std::vector<std::int32_t> m_layerNumbers;
  int m_modelLayers = 0;
  SelectionSet m_selected;
  std::vector<SelectionSet> m_filters;
  SelectMode m_mode = SelectMode::replace;
  bool m_boxTool = false;
  int m_anchor = 0;  ///< token that Shift extends from
};

}  // namespace qaq::views
