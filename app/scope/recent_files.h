#pragma once

#include "views/models/config_file.h"
#include "views/models/window_services.h"

namespace qaq::scope {

/// The recent files in a JSON file:
///
///     {"format": "qaq-recent", "version": 1,
///      "files": [{"path": "/...", "opened": "2026-01-31T23:59:59Z"}, ...]}
///
/// A file that cannot be read counts as empty and one that cannot be written is not: losing the
/// list must not stop anybody.
class RecentFileList : public views::RecentFiles {
 public:
  explicit RecentFileList(const QString& file) : m_file(file, QStringLiteral("qaq-recent")) {}

  QList<views::RecentFile> list() const override;
  void add(const QString& path) override;
  void remove(const QString& path) override;

 private:
  QList<views::RecentFile> read() const;
  void write(const QList<views::RecentFile>& files) const;

  views::ConfigFile m_file;
};

}  // namespace qaq::scope
