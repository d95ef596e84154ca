#include "views/panels/log_panel.h"

#include <QTime>

namespace qaq::views {
namespace {

constexpr int kMostLines = 2000;

}  // namespace

LogPanel::LogPanel(QWidget* parent) : QPlainTextEdit(parent) {
  setReadOnly(true);
  setMaximumBlockCount(kMostLines);
  setFrameShape(QFrame::NoFrame);
  setFont(Theme::font(Theme::kLabelPx));
  setAccessibleName(tr("Log"));
  setPlaceholderText(tr("What is opened, written and refused is listed here."));
}

void LogPanel::note(const QString& line) { add(line, false); }

void LogPanel::warn(const QString& line) { add(QStringLiteral("⚠ ") + line, true); }

void LogPanel::setTheme(const Theme& theme) { m_theme = theme; }

void LogPanel::add(const QString& line, bool isWarning) {
  QTextCharFormat format;
  if (isWarning) format.setForeground(m_theme.warning);
  QTextCursor cursor(document());
  cursor.movePosition(QTextCursor::End);
  if (!document()->isEmpty()) cursor.insertBlock();
  cursor.insertText(QTime::currentTime().toString(Qt::ISODate) + QStringLiteral("  ") + line,
                    format);
  ensureCursorVisible();
}

}  // namespace qaq::views
