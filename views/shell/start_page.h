#pragma once

#include <QWidget>

#include "views/plots/theme.h"

class QLabel;
class QPushButton;

namespace qaq::views {

/// What the window shows while no capture is open: what it is for, the one command that helps, and
/// why the last file was refused.
class StartPage : public QWidget {
  Q_OBJECT

 public:
  explicit StartPage(QWidget* parent = nullptr);

  void setLoading(const QString& path);
  void setError(const QString& line);
  void setTheme(const Theme& theme);
  QString errorText() const;

 signals:
  void openRequested();

 private:
  QLabel* m_title;
  QLabel* m_lead;
  QLabel* m_hint;
  QLabel* m_state;
  QPushButton* m_open;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
