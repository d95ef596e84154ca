#include "views/plots/table_model.h"

#include <QBrush>
#include <QCoreApplication>
#include <QLocale>
#include <utility>

#include "views/plots/number_format.h"

namespace qaq::views {

TableModel::TableModel(QObject* parent) : QAbstractTableModel(parent) {}

void TableModel::setRows(SharedTableRows rows, std::vector<std::int32_t> order, int group_size) {
  beginResetModel();
  m_rows = std::move(rows);
  m_order = std::move(order);
  m_places.reset();
  if (m_rows) m_places.emplace(m_rows, group_size);
  endResetModel();
}

void TableModel::setLock(const std::optional<RowPlace>& place) {
  m_lock = place;
  if (m_order.empty()) return;
  emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1), {Qt::BackgroundRole});
}

void TableModel::setTheme(const Theme& theme) {
  m_theme = theme;
  if (m_order.empty()) return;
  emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1),
                   {Qt::BackgroundRole, Qt::ForegroundRole});
}

RowPlace TableModel::placeOf(int row) const {
  return m_places->at(m_order[static_cast<std::size_t>(row)]);
}

bool TableModel::isLocked(int row) const {
  return m_lock && m_places->is_about(m_order[static_cast<std::size_t>(row)], *m_lock);
}

std::optional<int> TableModel::lockedRow() const {
  if (!m_lock || !m_places) return std::nullopt;
  for (int row = 0; row < rowCount(); ++row) {
    if (isLocked(row)) return row;
  }
  return std::nullopt;
}

int TableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_order.size());
}

int TableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() || !m_rows ? 0 : static_cast<int>(m_rows->columns().size());
}

bool TableModel::isNumber(int column) const {
  const ColumnKind kind = m_rows->columns()[static_cast<std::size_t>(column)].kind;
  return kind == ColumnKind::integer || kind == ColumnKind::real;
}

QString TableModel::headerText(int column) const {
  const Column& one = m_rows->columns()[static_cast<std::size_t>(column)];
  const QString plain =
      QString::fromStdString(one.name).replace(QLatin1Char('_'), QLatin1Char(' '));
  const QString name = QCoreApplication::translate("Table", plain.toUtf8());
  if (one.unit.empty() || one.unit == "1") return name;
  return QStringLiteral("%1 (%2)").arg(name, QString::fromStdString(one.unit));
}

QString TableModel::text(int row, int column) const {
  const auto at = static_cast<std::size_t>(column);
  const Cell cell = m_rows->cell(m_order[static_cast<std::size_t>(row)], at);
  const Column& one = m_rows->columns()[at];
  if (const auto* number = std::get_if<std::int64_t>(&cell)) {
    if (one.kind == ColumnKind::choice) {
      return QString::fromStdString(one.choices.at(static_cast<std::size_t>(*number)));
    }
    return QLocale().toString(static_cast<qlonglong>(*number));
  }
  constexpr int kDigits = 4;
  if (const auto* number = std::get_if<float>(&cell)) return numberText(double{*number}, kDigits);
  if (const auto* text = std::get_if<std::string>(&cell)) return QString::fromStdString(*text);
  return one.kind == ColumnKind::text ? QString() : tr("absent");
}

QVariant TableModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const int row = index.row(), column = index.column();
  switch (role) {
    case Qt::DisplayRole:
      return text(row, column);
    case Qt::TextAlignmentRole:
      return QVariant(static_cast<int>(Qt::AlignVCenter) |
                      static_cast<int>(isNumber(column) ? Qt::AlignRight : Qt::AlignLeft));
    case Qt::BackgroundRole:
      if (isLocked(row)) return QBrush(m_theme.accentSoft);
      return {};
    case Qt::ForegroundRole: {
      const Cell cell =
          m_rows->cell(m_order[static_cast<std::size_t>(row)], static_cast<std::size_t>(column));
      const bool nothing = std::holds_alternative<std::monostate>(cell);
      return QBrush(nothing ? m_theme.faint : m_theme.text);
    }
    default:
      return {};
  }
}

QVariant TableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation == Qt::Vertical || section < 0 || section >= columnCount()) return {};
  if (role == Qt::DisplayRole) return headerText(section);
  if (role == Qt::TextAlignmentRole) {
    return QVariant(static_cast<int>(Qt::AlignVCenter) |
                    static_cast<int>(isNumber(section) ? Qt::AlignRight : Qt::AlignLeft));
  }
  return {};
}

void TableModel::sort(int column, Qt::SortOrder order) {
  emit sortWanted(column, order == Qt::DescendingOrder);
}

}  // namespace qaq::views
