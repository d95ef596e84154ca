#include "app/scope/recovery.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QDir>
#include <QFile>
#include <utility>

#include "app/scope/session_state.h"
#include "core/base/error.h"
#include "data/files/partial_file.h"

namespace qaq::scope {
namespace {

constexpr const char* kSession = ".qaqsession";
constexpr const char* kLock = ".lock";

std::unique_ptr<QLockFile> lockOf(const QString& path) {
  auto lock = std::make_unique<QLockFile>(path);
  // Only the end of its process frees a lock, not its age.
  lock->setStaleLockTime(0);
  return lock;
}

}  // namespace

RecoveryFolder::RecoveryFolder(QString folder)
    : m_folder(std::move(folder)),
      m_name(QDateTime::currentDateTimeUtc().toString(QStringLiteral("yyyyMMdd-HHmmsszzz-")) +
             QString::number(QCoreApplication::applicationPid())) {}

RecoveryFolder::~RecoveryFolder() { close(); }

QString RecoveryFolder::file(const QString& name, const char* ending) const {
  return QDir(m_folder).filePath(name + QLatin1String(ending));
}

void RecoveryFolder::remove(const QString& name) const {
  const QString session = file(name, kSession);
  QFile::remove(session);
  QFile::remove(QString::fromStdString(PartialFile::name_of(session.toStdString())));
}

QString RecoveryFolder::offered() {
  if (!m_offered.isEmpty()) return file(m_offered, kSession);
  const QStringList all = QDir(m_folder).entryList({QStringLiteral("*.qaqsession")}, QDir::Files,
                                                   QDir::Name | QDir::Reversed);
  for (QString name : all) {  // newest first, by their names
    name.chop(static_cast<int>(qstrlen(kSession)));
    if (name == m_name) continue;
    auto lock = lockOf(file(name, kLock));
    if (!lock->tryLock(0)) continue;
    m_offered = name;
    m_offeredLock = std::move(lock);
    return file(name, kSession);
  }
  return {};
}

void RecoveryFolder::discardOffered() {
  if (m_offered.isEmpty()) return;
  remove(std::exchange(m_offered, {}));
  m_offeredLock.reset();
}

void RecoveryFolder::keep(const views::SessionState& state) {
  const std::scoped_lock guard(m_mutex);
  if (m_isClosed) return;
  if (!m_lock) {
    QDir().mkpath(m_folder);
    auto lock = lockOf(file(m_name, kLock));
    if (!lock->tryLock(0)) {
      throw Error(ErrorKind::work, {.file = m_folder.toStdString(),
                                    .what = "the session cannot be kept there",
                                    .cure = "make the folder writable"});
    }
    m_lock = std::move(lock);
  }
  const std::string path = file(m_name, kSession).toStdString();
  write_session(path, sessionFileOf(state, path));
}

void RecoveryFolder::close() {
  const std::scoped_lock guard(m_mutex);
  m_isClosed = true;
  if (m_lock) remove(m_name);
  m_lock.reset();
  m_offeredLock.reset();
}

}  // namespace qaq::scope
