#pragma once

#include <QAbstractTableModel>
#include <QTableView>

#include "views/models/pair_data.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// Violations as rows, in the order that they come in.
class ViolationModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { kLayer, kHead, kStep, kToken, kScore, kWindowMax, kRatio, kColumns };

  using QAbstractTableModel::QAbstractTableModel;
  void setPairs(const SharedPairs& pairs);
  const SharedPairs& pairs() const { return m_pairs; }
  const Violation& violation(int row) const;
  /// The row of the violation at this cell, of the heads that read the KV head; -1: none.
  int rowOf(const Cursor& cursor) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  SharedPairs m_pairs;
};

/// The table of violations, the largest ratio first. A click on a row, or moving the current row by
/// keys, chooses its violation.
class ViolationTable : public QTableView {
  Q_OBJECT

 public:
  explicit ViolationTable(QWidget* parent = nullptr);

  void setPairs(const SharedPairs& pairs);
  void setTheme(const Theme& theme);
  const ViolationModel& violations() const { return m_model; }
  /// Marks the row of a cell, without choosing it.
  void mark(const std::optional<Cursor>& cursor);
  /// Moves the current row.
  void stepRow(int by);

 signals:
  void chosen(const qaq::Violation& violation);

 protected:
  void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;

 private:
  ViolationModel m_model;
  bool m_marking = false;
};

}  // namespace qaq::views
