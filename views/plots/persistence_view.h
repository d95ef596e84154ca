#pragma once

#include <QTimer>

#include "views/models/derived.h"
#include "views/models/pair_data.h"
#include "views/plots/map_view.h"
#include "views/plots/pair_pane.h"
#include "views/plots/ratio_pane.h"
#include "views/plots/violation_table.h"

class QComboBox;
class QLabel;

namespace qaq::views {

/// V4: whether what was important stays important. The histogram of window maximum against the
/// score behind it, the ratio token by step, and the violations as a table: a triangle, a cell or a
/// row locks its cell, and every view goes there.
class PersistenceView : public MapView {
  Q_OBJECT

 public:
  explicit PersistenceView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("persistence"); }
  QString title() const override { return tr("Importance persistence"); }
  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  void setUpdating(bool updating) override;
  bool isReady() const override { return m_made.isReady(); }
  QString error() const override { return m_message; }
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;
  QSize figureSize() const override;
  std::optional<Table> table() const override;
  QString summary() const override;

  /// Whether the histogram and the table are of the whole capture or of the slice's heads.
  void setWhole(bool isWhole);
  PairPane* histogram() const { return m_histogram; }
  RatioPane* ratio() const { return m_ratio; }
  ViolationTable* violations() const { return m_table; }

 protected:
  void present(const SharedSlice& slice) override;
  std::optional<Cursor> cursorOf(const MapPane* pane, int row, int column,
                                 const QPointF* click) const override;
  MarkedCell markOf(const MapPane* pane, const Cursor& cursor) const override;
  void lockChanged() override;

 private:
  void request();
  void take(const SharedPairs& pairs);
  void lockViolation(const Violation& violation);
  Cursor cursorAt(const Violation& violation) const;

  PairPane* m_histogram;
  RatioPane* m_ratio;
  QLabel* m_heading;
  QComboBox* m_scope;
  ViolationTable* m_table;
  SharedSlice m_slice;  ///< newest
  SharedPairs m_pairs;  ///< what is shown
  bool m_isWhole = false;
  bool m_updating = false;  ///< a newer result is being made
  QTimer m_late;            ///< runs out where counting takes long enough to be told
  QString m_message;
  Derived<PairData> m_made;  // last: it uses all of the above
};

}  // namespace qaq::views
