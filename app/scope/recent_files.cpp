#include "app/scope/recent_files.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

namespace qaq::scope {

using views::RecentFile;

QList<RecentFile> RecentFileList::read() const {
  QFile file(m_file);
  if (!file.open(QIODevice::ReadOnly)) return {};
  const QJsonObject json = QJsonDocument::fromJson(file.readAll()).object();
  if (json[QLatin1String("format")] != QLatin1String("qaq-recent")) return {};
  QList<RecentFile> out;
  for (const QJsonValue& each : json[QLatin1String("files")].toArray()) {
    const QString path = each[QLatin1String("path")].toString();
    const auto opened =
        QDateTime::fromString(each[QLatin1String("opened")].toString(), Qt::ISODate);
    if (!path.isEmpty() && out.size() < kMost) out.push_back({path, opened.toLocalTime()});
  }
  return out;
}

void RecentFileList::write(const QList<RecentFile>& files) const {
  QJsonArray list;
  for (const RecentFile& file : files) {
    list.append(QJsonObject{{QStringLiteral("path"), file.path},
                            {QStringLiteral("opened"), file.opened.toUTC().toString(Qt::ISODate)}});
  }
  QDir().mkpath(QFileInfo(m_file).path());
  QSaveFile out(m_file);
  if (!out.open(QIODevice::WriteOnly)) return;
  out.write(QJsonDocument(QJsonObject{{QStringLiteral("format"), QStringLiteral("qaq-recent")},
                                      {QStringLiteral("version"), 1},
                                      {QStringLiteral("files"), list}})
                .toJson());
  out.commit();
}

QList<RecentFile> RecentFileList::list() const {
  QList<RecentFile> files = read();
  for (RecentFile& file : files) file.exists = QFileInfo(file.path).isFile();
  return files;
}

void RecentFileList::add(const QString& path) {
  const QString whole = QFileInfo(path).absoluteFilePath();
  QList<RecentFile> files = read();
  files.removeIf([&](const RecentFile& file) { return file.path == whole; });
  files.push_front({whole, QDateTime::currentDateTime()});
  while (files.size() > kMost) files.pop_back();
  write(files);
}

void RecentFileList::remove(const QString& path) {
  QList<RecentFile> files = read();
  files.removeIf([&](const RecentFile& file) { return file.path == path; });
  write(files);
}

}  // namespace qaq::scope
