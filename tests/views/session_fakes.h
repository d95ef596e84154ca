#pragma once

#include <QFileInfo>
#include <map>
#include <mutex>
#include <thread>

#include "core/base/error.h"
#include "tests/views/views_fixture.h"
#include "views/models/window_services.h"

namespace qaq::views::test {

inline SharedCapture openFake(const std::string& path, const Work& work) {
  const std::string name = QFileInfo(QString::fromStdString(path)).fileName().toStdString();
  if (name == "broken.h5") {
    refuse_input({.file = path, .place = "/entry", .what = "is missing", .cure = "capture again"});
  }
  if (name == "endless.h5") {
    while (!work.stopped()) std::this_thread::yield();
    work.throw_if_stopped();
  }
  return name == "small.h5" ? smallCapture() : plantedCapture();
}

/// Files that are only in memory.
class FakeSessions {
 public:
  SessionFiles files() {
    return {.load =
                [this](const QString& path, const QString& located) {
                  const std::scoped_lock lock(m_mutex);
                  const auto found = m_files.find(path);
                  if (found == m_files.end()) {
                    refuse_input({.file = path.toStdString(), .what = "cannot be read"});
                  }
                  LoadedSession out = found->second;
                  if (!located.isEmpty()) {
                    out.state.capture = located;
                    out.missing.clear();
                  }
                  return out;
                },
            .save =
                [this](const QString& path, const SessionState& state) {
                  if (path.startsWith(QLatin1String("/full/"))) {
                    throw Error(ErrorKind::work,
                                {.file = path.toStdString(), .what = "no space left"});
                  }
                  put(path, {.state = state});
                  return QByteArray("document of ") + path.toUtf8();
                }};
  }
  void put(const QString& path, const LoadedSession& session) {
    const std::scoped_lock lock(m_mutex);
    m_files[path] = session;
  }
  std::optional<SessionState> at(const QString& path) {
    const std::scoped_lock lock(m_mutex);
    const auto found = m_files.find(path);
    return found == m_files.end() ? std::nullopt : std::optional(found->second.state);
  }

 private:
  std::mutex m_mutex;
  std::map<QString, LoadedSession> m_files;
};

class FakeRecovery : public RecoveryStore {
 public:
  QString offered() override { return m_offered; }
  void discardOffered() override { m_offered.clear(); }
  void keep(const SessionState& state) override {
    const std::scoped_lock lock(m_mutex);
    m_kept = state;
    ++m_count;
  }
  void close() override { m_closed = true; }

  void offer(const QString& path) { m_offered = path; }
  bool isClosed() const { return m_closed; }
  int count() {
    const std::scoped_lock lock(m_mutex);
    return m_count;
  }
  SessionState kept() {
    const std::scoped_lock lock(m_mutex);
    return m_kept;
  }

 private:
  QString m_offered;
  bool m_closed = false;
  std::mutex m_mutex;
  SessionState m_kept;
  int m_count = 0;
};

class FakeRecent : public RecentFiles {
 public:
  QList<RecentFile> list() const override { return m_files; }
  void add(const QString& path) override {
    remove(path);
    m_files.push_front({path, QDateTime::currentDateTime(), true});
  }
  void remove(const QString& path) override {
    m_files.removeIf([&](const RecentFile& file) { return file.path == path; });
  }
  void setMissing(const QString& path) { m_files.push_back({path, {}, false}); }
  QStringList names() const {
    QStringList out;
    for (const RecentFile& file : m_files) out.push_back(QFileInfo(file.path).fileName());
    return out;
  }

 private:
  QList<RecentFile> m_files;
};

}  // namespace qaq::views::test
