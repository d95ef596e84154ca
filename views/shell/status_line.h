#pragma once

#include <QStatusBar>

#include "views/models/workspace.h"
#include "views/plots/theme.h"

class QLabel;
class QProgressBar;
class QPushButton;

namespace qaq::views {

/// The status bar: file, cell under the pointer, what the result costs; progress with Cancel when a
/// replay takes longer than a second; and the last refusal.
class StatusLine : public QStatusBar {
  Q_OBJECT

 public:
  explicit StatusLine(Workspace* workspace, QWidget* parent = nullptr);

  void setTheme(const Theme& theme);
  /// A refusal stays until the next result.
  void setError(const QString& line);
  QString cursorText() const;
  QString errorText() const;

 signals:
  void refused(const QString& line);

 private:
  void showCursor();
  void showResult();
  void showProgress(const QString& stage, qint64 done, qint64 total);
  void hideProgress();

  Workspace* m_workspace;
  QLabel* m_file;
  QLabel* m_cursor;
  QLabel* m_error;
  QProgressBar* m_progress;
  QPushButton* m_cancel;
  QLabel* m_result;
  qint64 m_startedMs = 0;
};

}  // namespace qaq::views
