#include "views/shell/start_cards.h"

#include <QEvent>
#include <QPainter>
#include <utility>

namespace qaq::views {
namespace {

constexpr int kCardTitlePx = 14;
constexpr int kMargin = 12;

}  // namespace

StartCard::StartCard(QWidget* parent) : QAbstractButton(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setCursor(Qt::PointingHandCursor);
  setAttribute(Qt::WA_Hover);
}

void StartCard::setTheme(const Theme& theme) {
  m_theme = theme;
  update();
}

bool StartCard::event(QEvent* event) {
  const auto type = event->type();
  if (type == QEvent::FocusIn || type == QEvent::FocusOut) update();
  return QAbstractButton::event(event);
}

void StartCard::paintFrame(QPainter& painter, bool accented) const {
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setBrush(accented ? m_theme.accentSoft : m_theme.surface);
  const bool focus = hasFocus();
  const QColor& edge = accented || focus          ? m_theme.accent
                       : underMouse() || isDown() ? m_theme.frame
                                                  : m_theme.border;
  painter.setPen(QPen(edge, focus ? 2 : 1));
  const double inset = focus ? 1 : 0.5;
  painter.drawRoundedRect(QRectF(rect()).adjusted(inset, inset, -inset, -inset), 4, 4);
}

ActionCard::ActionCard(Icon icon, Text text, bool isMain, QWidget* parent)
    : StartCard(parent), m_icon(icon), m_text(std::move(text)), m_main(isMain) {
  setText(m_text.title);
  setAccessibleName(m_text.title);
  setAccessibleDescription(m_text.help);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setMinimumWidth(300);
}

void ActionCard::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paintFrame(painter, m_main);
  const QColor& ink = m_main ? theme().accent : theme().text;
  views::icon(m_icon, ink).paint(&painter, QRect(kMargin, (height() - 22) / 2, 22, 22));
  const int left = kMargin + 22 + kMargin;
  QRect text = rect().adjusted(left, 10, -kMargin, -10);
  if (!m_text.shortcut.isEmpty()) {
    painter.setFont(Theme::font(Theme::kLabelPx));
    painter.setPen(theme().muted);
    painter.drawText(text, Qt::AlignRight | Qt::AlignVCenter, m_text.shortcut);
    text.setRight(text.right() - painter.fontMetrics().horizontalAdvance(m_text.shortcut) -
                  kMargin);
  }
  painter.setFont(Theme::font(kCardTitlePx, true));
  painter.setPen(theme().text);
  painter.drawText(text, Qt::AlignLeft | Qt::AlignTop, m_text.title);
  painter.setFont(Theme::font(Theme::kLabelPx));
  painter.setPen(theme().muted);
  painter.drawText(text, Qt::AlignLeft | Qt::AlignBottom,
                   painter.fontMetrics().elidedText(m_text.help, Qt::ElideRight, text.width()));
}

SampleCard::SampleCard(const QString& title, QWidget* parent) : StartCard(parent) {
  setText(title);
  setAccessibleName(title);
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void SampleCard::setPicture(const QImage& picture, const QString& facts) {
  m_picture = picture;
  m_facts = facts;
  setAccessibleDescription(facts);
  update();
}

void SampleCard::setError(const QString& line) { setPicture({}, line); }

void SampleCard::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paintFrame(painter, false);
  const QRect picture(QPoint((width() - kPicture.width()) / 2, kMargin), kPicture);
  painter.setRenderHint(QPainter::Antialiasing, false);
  if (!m_picture.isNull()) painter.drawImage(picture, m_picture);
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(theme().border, 1));
  painter.drawRect(picture.adjusted(-1, -1, 0, 0));
  QRect words(picture.left(), picture.bottom() + 10, picture.width(),
              height() - picture.bottom() - 10 - 6);
  painter.setFont(Theme::font(Theme::kTitlePx, true));
  painter.setPen(theme().text);
  painter.drawText(words, Qt::AlignLeft | Qt::AlignTop, text());
  words.setTop(words.top() + painter.fontMetrics().height() + 4);
  painter.setFont(Theme::font(Theme::kLabelPx));
  painter.setPen(theme().muted);
  painter.drawText(words, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, m_facts);
}

}  // namespace qaq::views
