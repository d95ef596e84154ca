#include "views/commands/palette_model.h"

namespace qaq::views {

void PaletteModel::setEntries(const QList<PaletteEntry>& entries) {
  beginResetModel();
  m_entries = entries;
  endResetModel();
}

int PaletteModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

QVariant PaletteModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const PaletteEntry& entry = m_entries[index.row()];
  switch (role) {
    case Qt::DisplayRole:
      return entry.text;
    case Qt::AccessibleTextRole:
      return entry.shortcut.isEmpty() ? entry.text
                                      : entry.text + QStringLiteral(", ") + entry.shortcut;
    case Qt::AccessibleDescriptionRole:
    case Qt::ToolTipRole:
      return entry.detail;
    default:
      return {};
  }
}

}  // namespace qaq::views
