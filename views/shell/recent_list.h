#pragma once

#include <QWidget>
#include <memory>

#include "views/models/window_services.h"
#include "views/plots/theme.h"

class QVBoxLayout;

namespace qaq::views {

/// The files that were opened last, newest first: a click opens one, or asks where it went where it
/// is not found; × or Delete takes it off the list.
class RecentList : public QWidget {
  Q_OBJECT

 public:
  explicit RecentList(QWidget* parent = nullptr);

  void setFiles(const QList<RecentFile>& files);
  void setTheme(const Theme& theme);

 signals:
  void openRequested(const QString& path);
  void locateRequested(const QString& path);
  void removeRequested(const QString& path);

 private:
  void fill();

  QVBoxLayout* m_column;
  QList<RecentFile> m_files;
  Theme m_theme = Theme::of(ThemeKind::light);
};

/// "today 09:12", "yesterday", "12 March 2026" by the locale.
QString whenText(const QDateTime& when, const QDateTime& now);

}  // namespace qaq::views
