#pragma once

#include <QAbstractTableModel>
#include <vector>

#include "core/analysis/table_rows.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// Rows of a core table in an order: numbers at the right as people read them, units in the header,
/// "absent" where there is nothing, the rows of the locked cell marked. It sorts nothing itself:
/// sort() only says what is wanted.
class TableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  explicit TableModel(QObject* parent = nullptr);

  /// `group_size`: query heads a KV head.
  void setRows(SharedTableRows rows, std::vector<std::int32_t> order, int group_size);
  void setLock(const std::optional<RowPlace>& place);
  void setTheme(const Theme& theme);

  const SharedTableRows& rows() const { return m_rows; }
  const std::vector<std::int32_t>& order() const { return m_order; }
  /// What a row of the model is about.
  RowPlace placeOf(int row) const;
  /// The first row about the locked cell.
  std::optional<int> lockedRow() const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation,
                      int role = Qt::DisplayRole) const override;
  void sort(int column, Qt::SortOrder order = Qt::AscendingOrder) override;

  QString text(int row, int column) const;
  QString headerText(int column) const;
  bool isNumber(int column) const;

 signals:
  void sortWanted(int column, bool descending);

 private:
  bool isLocked(int row) const;

  SharedTableRows m_rows;
  std::vector<std::int32_t> m_order;
  std::optional<RowPlaces> m_places;
  std::optional<RowPlace> m_lock;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
