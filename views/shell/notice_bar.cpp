#include "views/shell/notice_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

namespace qaq::views {

NoticeBar::NoticeBar(QWidget* parent)
    : QFrame(parent), m_text(new QLabel), m_row(new QHBoxLayout(this)) {
  setObjectName(QStringLiteral("notice"));
  m_row->setContentsMargins(12, 4, 8, 4);
  m_row->setSpacing(8);
  m_text->setWordWrap(true);
  m_text->setTextFormat(Qt::PlainText);
  m_row->addWidget(m_text, 1);
  auto* close = new QToolButton;
  close->setText(QStringLiteral("×"));
  close->setToolTip(tr("Close"));
  close->setAccessibleName(tr("Close"));
  connect(close, &QToolButton::clicked, this, &QWidget::hide);
  m_row->addWidget(close);
  hide();
}

QString NoticeBar::text() const { return isHidden() ? QString() : m_text->text(); }

void NoticeBar::show(const QString& sentence, const QList<Answer>& answers) {
  m_text->setText(sentence);
  setAccessibleName(sentence);
  // One of them may be what calls.
  for (QWidget* button : m_buttons) button->deleteLater();
  m_buttons.clear();
  for (const Answer& answer : answers) {
    auto* button = new QPushButton(answer.text);
    connect(button, &QPushButton::clicked, this, [this, act = answer.act] {
      hide();
      act();
    });
    m_row->insertWidget(m_row->count() - 1, button);
    m_buttons.push_back(button);
  }
  QWidget::show();
}

void NoticeBar::setTheme(const Theme& theme) {
  setStyleSheet(QStringLiteral("#notice { background: %1; border: 1px solid %2; } "
                               "#notice QLabel { color: %3; }")
                    .arg(theme.accentSoft.name(), theme.accent.name(), theme.text.name()));
}

}  // namespace qaq::views
