#pragma once

#include <QAbstractListModel>

#include "views/commands/palette_search.h"

namespace qaq::views {

/// What the palette lists: text, what it does or why it cannot, and to be read out the shortcut.
class PaletteModel : public QAbstractListModel {
  Q_OBJECT

 public:
  using QAbstractListModel::QAbstractListModel;

  void setEntries(const QList<PaletteEntry>& entries);
  const PaletteEntry& entry(int row) const { return m_entries[row]; }
  const QList<PaletteEntry>& entries() const { return m_entries; }

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 private:
  QList<PaletteEntry> m_entries;
};

}  // namespace qaq::views
