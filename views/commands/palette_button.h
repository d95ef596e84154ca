#pragma once

#include <QToolButton>

#include "views/plots/theme.h"

namespace qaq::views {

/// What opens the palette from the toolbar: looks like a search line, with the shortcut at its
/// right where there is room.
class PaletteButton : public QToolButton {
  Q_OBJECT

 public:
  explicit PaletteButton(QAction* action, QWidget* parent = nullptr);

  void setTheme(const Theme& theme);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
