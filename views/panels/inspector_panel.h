#pragma once

#include <QTimer>
#include <QWidget>
#include <optional>

#include "core/analysis/cell_summary.h"
#include "views/models/analysis.h"
#include "views/models/derived.h"
#include "views/models/selection_model.h"
#include "views/plots/theme.h"

class QLabel;

namespace qaq::views {

/// The numbers of the cell under the pointer, else of the locked one; beside them those of the
/// pinned one. Why a cell has its bits is worked out on a worker; until it is known its rows say
/// so.
class InspectorPanel : public QWidget {
  Q_OBJECT

 public:
  explicit InspectorPanel(SelectionModel* selection, QWidget* parent = nullptr);

  void show(const SharedSlice& slice);
  void setTheme(const Theme& theme);
  /// Name and text of each row, as shown.
  QList<QPair<QString, QString>> rows() const;
  /// The same of the pinned cell; empty where none is pinned.
  QList<QPair<QString, QString>> pinnedRows() const;
  /// Everything asked for is there.
  bool isReady() const;

 private:
  /// One cell's summary, with what it was made of.
  struct Known {
    Cursor cursor;
    SharedAnalysis analysis;
    CellSummary summary;
  };
  using SharedKnown = std::shared_ptr<const Known>;
  /// A column of values.
  struct Column {
    QList<QLabel*> values;
    SharedKnown known;
  };

  void refresh();
  void fill(Column& column, const std::optional<Cursor>& cursor);
  void setText(QLabel* label, const QString& text, bool alarm);
  void ask();
  void request(Derived<Known>& job, const Column& column, const std::optional<Cursor>& cursor);
  QList<QPair<QString, QString>> rowsOf(const Column& column) const;

  SelectionModel* m_selection;
  SharedSlice m_slice;
  Theme m_theme = Theme::of(ThemeKind::light);
  QList<QLabel*> m_names;
  QLabel* m_here;
  QLabel* m_there;
  Column m_current;
  Column m_pinned;
  QTimer m_rest;                ///< the pointer must rest before a cell is looked into
  Derived<Known> m_currentJob;  // last: their workers are joined first
  Derived<Known> m_pinnedJob;
};

}  // namespace qaq::views
