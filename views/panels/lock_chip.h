#pragma once

#include <QFrame>

#include "views/models/analysis.h"
#include "views/models/selection_model.h"
#include "views/plots/theme.h"

class QLabel;
class QToolButton;

namespace qaq::views {

/// The locked coordinate in the toolbar, with a cross that unlocks it.
class LockChip : public QFrame {
  Q_OBJECT

 public:
  explicit LockChip(SelectionModel* selection, QWidget* parent = nullptr);

  void setCapture(const SharedCapture& capture);
  void setTheme(const Theme& theme);
  QString text() const;

 private:
  void refresh();

  SelectionModel* m_selection;
  SharedCapture m_capture;
  QLabel* m_padlock;
  QLabel* m_text;
  QToolButton* m_close;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
