#include "views/commands/palette_button.h"

#include <QAction>
#include <QPainter>

#include "views/panels/icons.h"

namespace qaq::views {
namespace {

constexpr Px<int> kWide{280}, kNarrow{36}, kHeight{27};  // px
constexpr Px<int> kIcon{16}, kPad{8};

}  // namespace

PaletteButton::PaletteButton(QAction* action, QWidget* parent) : QToolButton(parent) {
  setDefaultAction(action);
  setFixedHeight(kHeight);
  setMaximumWidth(kWide);
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void PaletteButton::setTheme(const Theme& theme) {
  m_theme = theme;
  update();
}

QSize PaletteButton::sizeHint() const { return {kWide, kHeight}; }
QSize PaletteButton::minimumSizeHint() const { return {kNarrow, kHeight}; }

void PaletteButton::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  const bool marked = underMouse() || hasFocus();
  painter.setPen(marked ? m_theme.accent : m_theme.border);
  painter.setBrush(m_theme.surface);
  painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
  const QRect inside = rect().adjusted(kPad + 2, 0, -kPad, 0);
  views::icon(Icon::search, m_theme.muted)
      .paint(&painter, QRect(inside.left(), (height() - kIcon) / 2, kIcon, kIcon));
  const QFont font = Theme::font(Theme::kLabelPx);
  const QFontMetrics metrics(font);
  const QString words = defaultAction()->iconText();
  const QString key = defaultAction()->shortcut().toString(QKeySequence::NativeText);
  const QRect text = inside.adjusted(kIcon + kPad, 0, 0, 0);
  painter.setFont(font);
  painter.setPen(m_theme.muted);
  const int forKey = key.isEmpty() ? 0 : metrics.horizontalAdvance(key) + kPad;
  const int forWords = metrics.horizontalAdvance(words);
  // Words or nothing: a cut one says less than the icon.
  if (forWords > text.width()) return;
  painter.drawText(text, Qt::AlignLeft | Qt::AlignVCenter, words);
  if (forWords + forKey > text.width()) return;
  painter.drawText(text, Qt::AlignRight | Qt::AlignVCenter, key);
}

}  // namespace qaq::views
