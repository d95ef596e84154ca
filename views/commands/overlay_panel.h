#pragma once

#include <QFrame>
#include <QPointer>

#include "views/plots/theme.h"

class QLabel;
class QVBoxLayout;

namespace qaq::views {

/// A frameless panel over the window, with a title: Esc, or going elsewhere, closes it and gives
/// the focus back. It is part of the window, so pictures of the window show it.
class OverlayPanel : public QFrame {
  Q_OBJECT

 public:
  OverlayPanel(const QString& title, QWidget* window);

  /// Opens over the window, with the focus on focusWidgetOnOpen().
  void open();
  void close();
  virtual void setTheme(const Theme& theme);

 protected:
  void setTitle(const QString& title);
  QVBoxLayout* body() const { return m_body; }
  const Theme& theme() const { return m_theme; }
  /// Wanted size; the panel never leaves the window.
  virtual QSize wantedSize() const = 0;
  virtual QWidget* firstFocus() = 0;
  void place();

  bool eventFilter(QObject* watched, QEvent* event) override;
  bool event(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void focusMoved(QWidget* now);

  QWidget* m_window;
  QLabel* m_title;
  QVBoxLayout* m_body;
  QPointer<QWidget> m_before;  ///< had the focus
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
