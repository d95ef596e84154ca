#pragma once

#include <QObject>
#include <QString>
#include <QTimer>
#include <functional>
#include <memory>

#include "views/models/derived.h"
#include "views/models/window_services.h"

namespace qaq::views {

/// Reads and writes the session on worker threads, and keeps a copy of it while the window runs: a
/// second after an edit and every minute. It knows no widget.
class SessionKeeper : public QObject {
  Q_OBJECT

 public:
  /// `state` gives the session as the window is now.
  SessionKeeper(SessionFiles files, std::shared_ptr<RecoveryStore> recovery,
                std::function<SessionState()> state, QObject* parent = nullptr);
  ~SessionKeeper() override;

  bool canLoad() const { return m_files.load != nullptr; }
  bool canSave() const { return m_files.save != nullptr; }
  /// Reads a session; loaded() or failed() follows. `located` is where its capture is.
  void open(const QString& path, const QString& located = {});
  /// Reads the session that was read last again: its capture is at `located`.
  void openAgain(const QString& located);
  /// Writes the session; saved() or failed() follows.
  void save(const QString& path);
  /// The file that was opened or saved last; empty: none yet.
  const QString& path() const { return m_path; }
  /// Something was edited.
  void touch();
  /// What is on the screen belongs to no file any more.
  void forget() { m_path.clear(); }

  /// Keeps no copies from now on: pictures leave no trace.
  void pause();

  /// A session that a crash left; empty: none.
  QString offered() const;
  void restore();
  void discardOffered();

  bool isSettled() const;
  /// The window closes: waits until what was saved is written, and gives up the copy.
  void close();

 signals:
  void loaded(const QString& path, const qaq::views::LoadedSession& session);
  void saved(const QString& path, const QByteArray& document);
  void failed(const QString& line);

 private:
  struct Loaded {
    QString path;
    bool isRecovery = false;
    LoadedSession session;
  };
  struct Saved {
    QString path;
    QByteArray document;
  };
  void request(const QString& path, const QString& located, bool isRecovery);
  void take(const Loaded& made);
  void keep();

  SessionFiles m_files;
  std::shared_ptr<RecoveryStore> m_recovery;
  std::function<SessionState()> m_state;
  QString m_path;
  QString m_asked;  ///< path of the newest request, and whether it is what a crash left
  bool m_askedIsRecovery = false;
  bool m_isRestored = false;  ///< what was offered is on the screen, but not kept anew yet
  bool m_toldKeepFailed = false;
  bool m_isPaused = false;
  bool m_isClosed = false;
  QTimer m_soon, m_regularly;
  Derived<Loaded> m_load;
  Derived<Saved> m_save;
  Derived<bool> m_keep;
};

}  // namespace qaq::views
