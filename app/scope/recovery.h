#pragma once

#include <QLockFile>
#include <memory>
#include <mutex>

#include "views/models/window_services.h"

namespace qaq::scope {

/// Copies of the sessions of running windows in a folder: NAME.qaqsession, each with a NAME.lock
/// that holds the id of the process whose it is. A copy whose lock is nobody's any more was left by
/// a crash; one of a window that runs beside this one is not touched.
class RecoveryFolder : public views::RecoveryStore {
 public:
  explicit RecoveryFolder(QString folder);
  ~RecoveryFolder() override;

  QString offered() override;
  void discardOffered() override;
  void keep(const views::SessionState& state) override;
  void close() override;

 private:
  QString file(const QString& name, const char* ending) const;
  void remove(const QString& name) const;

  const QString m_folder;
  const QString m_name;  ///< of this window's copy
  std::mutex m_mutex;    ///< keep() comes from a worker
  bool m_isClosed = false;
  std::unique_ptr<QLockFile> m_lock;
  QString m_offered;  ///< name
  std::unique_ptr<QLockFile> m_offeredLock;
};

}  // namespace qaq::scope
