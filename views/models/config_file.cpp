#include "views/models/config_file.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSaveFile>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kFormat("format"), kVersion("version");
constexpr int kKnownVersion = 1;

}  // namespace

void ConfigFile::refuse(const std::string& place, const std::string& what) const {
  refuse_input({.file = m_path.toStdString(),
                .place = place,
                .what = what,
                .cure = "mend the file or delete it"});
}

QJsonObject ConfigFile::read() const {
  QFile file(m_path);
  if (!file.exists()) return {};
  if (!file.open(QIODevice::ReadOnly)) refuse("", "cannot be read");
  QJsonParseError error;
  const QJsonObject root = QJsonDocument::fromJson(file.readAll(), &error).object();
  if (error.error != QJsonParseError::NoError) {
    refuse(cat("byte ", error.offset), "is not valid JSON: " + error.errorString().toStdString());
  }
  if (root[kFormat].toString() != m_format) refuse("format", "is not " + m_format.toStdString());
  if (root[kVersion].toInt() != kKnownVersion) {
    refuse("version", cat("is another than ", kKnownVersion));
  }
  return root;
}

void ConfigFile::write(QJsonObject members, const std::string& cure) const {
  members[kFormat] = m_format;
  members[kVersion] = kKnownVersion;
  QDir().mkpath(QFileInfo(m_path).absolutePath());
  QSaveFile file(m_path);
  if (!file.open(QIODevice::WriteOnly) || file.write(QJsonDocument(members).toJson()) < 0 ||
      !file.commit()) {
    throw Error(ErrorKind::work, {.file = m_path.toStdString(),
                                  .what = "cannot be written: " + file.errorString().toStdString(),
                                  .cure = cure});
  }
}

}  // namespace qaq::views
