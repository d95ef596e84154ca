#include "views/panels/lock_chip.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

#include "views/panels/cell_facts.h"
#include "views/panels/icons.h"

namespace qaq::views {

LockChip::LockChip(SelectionModel* selection, QWidget* parent)
    : QFrame(parent),
      m_selection(selection),
      m_padlock(new QLabel),
      m_text(new QLabel),
      m_close(new QToolButton) {
  setObjectName(QStringLiteral("lockChip"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(8, 0, 4, 0);
  row->setSpacing(6);
  row->addWidget(m_padlock);
  row->addWidget(m_text);
  row->addWidget(m_close);
  m_close->setText(QStringLiteral("×"));
  m_close->setToolTip(tr("Unlock (Esc)"));
  m_close->setAccessibleName(tr("Unlock"));
  setFixedHeight(27);
  connect(m_close, &QToolButton::clicked, selection, &SelectionModel::unlock);
  connect(selection, &SelectionModel::lockChanged, this, &LockChip::refresh);
  refresh();
}

void LockChip::setCapture(const SharedCapture& capture) {
  m_capture = capture;
  refresh();
}

QString LockChip::text() const { return m_text->text(); }

void LockChip::setTheme(const Theme& theme) {
  m_theme = theme;
  refresh();
}

void LockChip::refresh() {
  const auto& lock = m_selection->locked();
  const bool locked = lock && m_capture;
  m_text->setText(locked ? coordinateText(m_capture->info(), *lock)
                         : tr("click a cell to lock it"));
  m_padlock->setPixmap(icon(Icon::padlock, locked ? m_theme.accent : m_theme.faint)
                           .pixmap(QSize(16, 16), devicePixelRatioF()));
  m_close->setVisible(locked);
  setAccessibleName(locked ? tr("Locked: %1").arg(m_text->text()) : tr("Nothing locked"));
  const QColor& back = locked ? m_theme.accentSoft : m_theme.background;
  const QColor& edge = locked ? m_theme.accent : m_theme.border;
  const QColor& ink = locked ? m_theme.text : m_theme.muted;
  setStyleSheet(
      QStringLiteral("#lockChip { background: %1; border: 1px solid %2; border-radius: 4px; }"
                     "QLabel { color: %3; } QToolButton { border: 0; background: transparent; "
                     "padding: 0 4px; }")
          .arg(back.name(), edge.name(), ink.name()));
}

}  // namespace qaq::views
