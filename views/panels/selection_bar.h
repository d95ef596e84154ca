#pragma once

#include <QWidget>

#include "views/models/selection_model.h"
#include "views/plots/theme.h"

class QLabel;
class QToolButton;

namespace qaq::views {

/// What a gesture does to the selected set, the box tool, how much is selected, and the command
/// that limits texts and tables to it: for the toolbar.
class SelectionBar : public QWidget {
  Q_OBJECT

 public:
  explicit SelectionBar(SelectionModel* selection, QWidget* parent = nullptr);

  void setTheme(const Theme& theme);
  /// "Select: Replace".
  QString text() const;
  /// "15 tokens".
  QString count() const;

 private:
  void refresh();

  SelectionModel* m_selection;
  QToolButton* m_mode;
  QToolButton* m_box;
  QLabel* m_count;
  QToolButton* m_filter;
};

/// Names of modes, in their order.
QString nameOf(SelectMode mode);
/// "15 tokens", "15 tokens, 300 cells" where not all layers and heads are in it; empty: none.
QString sizeText(const SelectionSet& cells);

}  // namespace qaq::views
