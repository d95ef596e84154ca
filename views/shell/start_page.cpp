#include "views/shell/start_page.h"

#include <QFileInfo>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace qaq::views {
namespace {

QLabel* addText(QVBoxLayout* column, const QString& text) {
  auto* label = new QLabel(text);
  label->setWordWrap(true);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  column->addWidget(label);
  return label;
}

}  // namespace

StartPage::StartPage(QWidget* parent) : QWidget(parent) {
  auto* outer = new QHBoxLayout(this);
  auto* body = new QWidget;
  body->setMaximumWidth(640);
  outer->addStretch(1);
  outer->addWidget(body, 4);
  outer->addStretch(1);
  auto* column = new QVBoxLayout(body);
  column->setSpacing(12);
  column->addStretch(2);
  m_title = addText(column, tr("QAQ Scope"));
  m_title->setFont(Theme::font(30, true));
  m_lead =
      addText(column, tr("See what quantizing the KV cache of a LLaMA-family model gives to each "
                         "token, layer and head, and what it loses."));
  m_open = new QPushButton(tr("Open capture…"));
  m_open->setDefault(true);
  m_open->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
  column->addWidget(m_open);
  m_hint = addText(column, tr("Or drop a capture file here. To make one:") +
                               QStringLiteral("\nqaq capture --model smollm2-135m --prompt "
                                              "\"The lighthouse keeper\" -o story.h5"));
  m_state = addText(column, {});
  column->addStretch(3);
  connect(m_open, &QPushButton::clicked, this, &StartPage::openRequested);
}

void StartPage::setLoading(const QString& path) {
  m_state->setText(tr("Opening %1 …").arg(QFileInfo(path).fileName()));
  m_state->setStyleSheet(QStringLiteral("color: %1").arg(m_theme.muted.name()));
}

void StartPage::setError(const QString& line) {
  m_state->setText(QStringLiteral("⚠ ") + line);
  m_state->setStyleSheet(QStringLiteral("color: %1").arg(m_theme.warning.name()));
}

QString StartPage::errorText() const { return m_state->text(); }

void StartPage::setTheme(const Theme& theme) {
  m_theme = theme;
  const auto muted = QStringLiteral("color: %1").arg(theme.muted.name());
  m_lead->setStyleSheet(muted);
  m_hint->setStyleSheet(muted);
}

}  // namespace qaq::views
