#pragma once

#include <QFrame>

#include "views/models/selection_model.h"
#include "views/plots/theme.h"

class QLabel;
class QToolButton;

namespace qaq::views {

/// Says that texts and tables are limited, to what, and takes limits away, one at a time or all.
/// Shown only while there is one.
class FilterBar : public QFrame {
  Q_OBJECT

 public:
  explicit FilterBar(SelectionModel* selection, QWidget* parent = nullptr);

  void setTheme(const Theme& theme);
  QString text() const;

 private:
  void refresh();

  SelectionModel* m_selection;
  QLabel* m_text;
  QToolButton* m_back;
  QToolButton* m_clear;
};

}  // namespace qaq::views
