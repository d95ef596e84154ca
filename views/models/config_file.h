#pragma once

#include <QJsonObject>
#include <QString>
#include <string>

namespace qaq::views {

/// A small JSON file that the window keeps its user's choices in:
///
///   {"format": FORMAT, "version": 1, …}
class ConfigFile {
 public:
  ConfigFile(QString path, QString format) : m_path(std::move(path)), m_format(std::move(format)) {}

  const QString& path() const { return m_path; }
  /// The document; no file: an empty one. Throws Error{input} where it is broken, of another format
  /// or of another version.
  QJsonObject read() const;
  /// Replaces the file, format and version added to `members`. `cure` says what holds where that
  /// fails. Throws Error{work}.
  void write(QJsonObject members, const std::string& cure) const;
  /// Error{input} about a place of the file.
  [[noreturn]] void refuse(const std::string& place, const std::string& what) const;

 private:
  QString m_path;
  QString m_format;
};

}  // namespace qaq::views
