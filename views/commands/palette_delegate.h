#pragma once

#include <QStyledItemDelegate>

#include "views/plots/theme.h"

namespace qaq::views {

/// Draws a line of the palette: text and shortcut, below what it does; faint where it cannot run.
class PaletteDelegate : public QStyledItemDelegate {
  Q_OBJECT

 public:
  static constexpr Px<int> kHeight{42};  ///< px

  using QStyledItemDelegate::QStyledItemDelegate;

  void setTheme(const Theme& theme) { m_theme = theme; }
  void paint(QPainter* painter, const QStyleOptionViewItem& option,
             const QModelIndex& index) const override;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

 private:
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
