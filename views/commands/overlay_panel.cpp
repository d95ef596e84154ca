#include "views/commands/overlay_panel.h"

#include <QApplication>
#include <QKeyEvent>
#include <QLabel>
#include <QVBoxLayout>

namespace qaq::views {
namespace {

constexpr Px<int> kTop{64};     // px below the window's upper edge: under the toolbar
constexpr Px<int> kMargin{24};  // px that stay free around

}  // namespace

OverlayPanel::OverlayPanel(const QString& title, QWidget* window)
    : QFrame(window), m_window(window), m_title(new QLabel(title)), m_body(new QVBoxLayout) {
  setObjectName(QStringLiteral("overlay"));
  setAccessibleName(title);
  setFocusPolicy(Qt::StrongFocus);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(12, 10, 12, 12);
  column->setSpacing(8);
  m_title->setFont(Theme::font(Theme::kTitlePx, true));
  column->addWidget(m_title);
  column->addLayout(m_body, 1);
  hide();
  window->installEventFilter(this);
  connect(qApp, &QApplication::focusChanged, this,
          [this](QWidget*, QWidget* now) { focusMoved(now); });
}

void OverlayPanel::setTitle(const QString& title) {
  m_title->setText(title);
  setAccessibleName(title);
}

void OverlayPanel::open() {
  if (!isVisible()) m_before = m_window->focusWidget();
  place();
  show();
  raise();
  firstFocus()->setFocus(Qt::PopupFocusReason);
}

void OverlayPanel::close() {
  if (isHidden()) return;
  const bool hadFocus = isAncestorOf(m_window->focusWidget()) || m_window->focusWidget() == this;
  hide();
  if (hadFocus && m_before) m_before->setFocus(Qt::PopupFocusReason);
}

void OverlayPanel::place() {
  const QSize most(m_window->width() - 2 * kMargin, m_window->height() - kTop - kMargin);
  const QSize size = wantedSize().boundedTo(most);
  setGeometry((m_window->width() - size.width()) / 2, kTop, size.width(), size.height());
}

void OverlayPanel::setTheme(const Theme& theme) {
  m_theme = theme;
  setStyleSheet(
      QStringLiteral("#overlay { background: %1; border: 1px solid %2; border-radius: 4px; }")
          .arg(theme.surface.name(), theme.frame.name()));
}

bool OverlayPanel::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_window && event->type() == QEvent::Resize && isVisible()) place();
  return QFrame::eventFilter(watched, event);
}

bool OverlayPanel::event(QEvent* event) {
  // The window has a command on Esc as well; here Esc closes.
  if (event->type() == QEvent::ShortcutOverride &&
      static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
    event->accept();
    return true;
  }
  return QFrame::event(event);
}

void OverlayPanel::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) {
    close();
  } else {
    QFrame::keyPressEvent(event);
  }
}

void OverlayPanel::focusMoved(QWidget* now) {
  // No focus at all: another window has it, or a menu of this one.
  if (isVisible() && now && now->window() == m_window && now != this && !isAncestorOf(now)) hide();
}

}  // namespace qaq::views
