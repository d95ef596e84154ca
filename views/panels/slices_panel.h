#pragma once

#include <QWidget>

#include "views/models/slice_book.h"
#include "views/plots/theme.h"

class QTreeWidget;
class QTreeWidgetItem;
class QToolButton;

namespace qaq::views {

/// The named sets of a SliceBook with their sizes. A click selects; the user's own can be renamed
/// (F2) and deleted (Del).
class SlicesPanel : public QWidget {
  Q_OBJECT

 public:
  explicit SlicesPanel(SliceBook* book, SelectionModel* selection, QWidget* parent = nullptr);

  void setTheme(const Theme& theme);
  QTreeWidget* list() const { return m_list; }

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void refresh();
  void showChosen();
  void openMenu(const QPoint& at);

  SliceBook* m_book;
  SelectionModel* m_selection;
  QTreeWidget* m_list;
  QToolButton* m_keep;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
