#pragma once

#include <QPlainTextEdit>

#include "views/plots/theme.h"

namespace qaq::views {

/// What was opened, written and refused since the window was opened, newest last: nothing that was
/// told once is lost. Its text can be copied.
class LogPanel : public QPlainTextEdit {
  Q_OBJECT

 public:
  explicit LogPanel(QWidget* parent = nullptr);

  void note(const QString& line);
  void warn(const QString& line);
  void setTheme(const Theme& theme);

 private:
  void add(const QString& line, bool isWarning);

  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
