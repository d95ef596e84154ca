#pragma once

#include <QAbstractScrollArea>

#include "views/models/selection_model.h"
#include "views/plots/token_flow.h"

namespace qaq::views {

/// A TokenFlow that scrolls. Pointer, clicks and dragging over tokens are gestures of the shared
/// selection; arrow keys move the locked token, with Shift they select. Only lines in sight are
/// laid out.
class TokenArea : public QAbstractScrollArea {
  Q_OBJECT

 public:
  explicit TokenArea(SelectionModel* selection, QWidget* parent = nullptr);

  void setContent(const SharedTokenContent& content);
  void setTheme(const Theme& theme);
  void setUpdating(bool updating);
  /// Brings a token into sight, if it is out of it.
  void reveal(int token);
  void setFound(std::vector<std::int32_t> tokens);
  /// The cursor that a token stands for, in the slice that is shown.
  Cursor cursorOf(int token) const;
  const TokenFlow& flow() const { return m_flow; }
  TokenFlow& flow() { return m_flow; }
  double top() const;
  /// "token 56 “ vessel”: K 4 bits, V 1 bits, ...".
  QString describe(int token) const;

 protected:
  bool viewportEvent(QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;

 private:
  void showMarks();
  void showLock();
  void showFilter();
  void updateScroll();
  TokenRange unitOf(int token) const;
  /// Where a key moves the cursor from `token` to.
  std::optional<int> moved(int key, int token) const;

  SelectionModel* m_selection;
  TokenFlow m_flow;
  Theme m_theme = Theme::of(ThemeKind::light);
  bool m_updating = false;
  bool m_ring = false;
  std::optional<int> m_pressed;  ///< token
  std::optional<int> m_dragged;  ///< token that dragging got to
};

}  // namespace qaq::views
