#include "app/scope/recent_files.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonObject>

#include "core/base/error.h"

namespace qaq::scope {

using views::RecentFile;

QList<RecentFile> RecentFileList::read() const {
  QJsonObject json;
  try {
    json = m_file.read();
  } catch (const Error&) {
    return {};  // a list of files is not worth a complaint
  }
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
  try {
    m_file.write({{QStringLiteral("files"), list}}, "");
  } catch (const Error&) {
    // The window works as well without it.
  }
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
