#include "views/shell/session_keeper.h"

#include <QCoreApplication>
#include <utility>

namespace qaq::views {
namespace {

constexpr int kSoonMs = 1000;
constexpr int kRegularlyMs = 60'000;

}  // namespace

SessionKeeper::SessionKeeper(SessionFiles files, std::shared_ptr<RecoveryStore> recovery,
                             std::function<SessionState()> state, QObject* parent)
    : QObject(parent),
      m_files(std::move(files)),
      m_recovery(std::move(recovery)),
      m_state(std::move(state)),
      m_load([this](const std::shared_ptr<const Loaded>& made) { take(*made); },
             [this](const QString& line) { emit failed(line); }),
      m_save(
          [this](const std::shared_ptr<const Saved>& made) {
            m_path = made->path;
            emit saved(made->path, made->document);
          },
          [this](const QString& line) { emit failed(line); }),
      m_keep(
          [this](const std::shared_ptr<const bool>&) {
            if (std::exchange(m_isRestored, false)) m_recovery->discardOffered();
          },
          [this](const QString& line) {
            // Once: it would be said again every minute.
            if (!std::exchange(m_toldKeepFailed, true)) emit failed(line);
          }) {
  m_soon.setSingleShot(true);
  m_soon.setInterval(kSoonMs);
  m_regularly.setInterval(kRegularlyMs);
  connect(&m_soon, &QTimer::timeout, this, &SessionKeeper::keep);
  connect(&m_regularly, &QTimer::timeout, this, &SessionKeeper::keep);
  if (m_recovery) m_regularly.start();
}

SessionKeeper::~SessionKeeper() {
  if (!m_isClosed && m_recovery) m_recovery->close();
}

void SessionKeeper::open(const QString& path, const QString& located) {
  request(path, located, false);
}

void SessionKeeper::openAgain(const QString& located) {
  request(m_asked, located, m_askedIsRecovery);
}

void SessionKeeper::request(const QString& path, const QString& located, bool isRecovery) {
  m_asked = path;
  m_askedIsRecovery = isRecovery;
  m_load.request([load = m_files.load, path, located, isRecovery](const Work&) {
    return std::make_shared<const Loaded>(Loaded{path, isRecovery, load(path, located)});
  });
}

void SessionKeeper::take(const Loaded& made) {
  const bool found = made.session.missing.isEmpty();
  if (found && made.isRecovery) m_isRestored = true;
  if (found) m_path = made.isRecovery ? QString() : made.path;
  emit loaded(made.path, made.session);
}

void SessionKeeper::save(const QString& path) {
  m_save.request([save = m_files.save, path, state = m_state()](const Work&) {
    return std::make_shared<const Saved>(Saved{path, save(path, state)});
  });
}

void SessionKeeper::touch() {
  // Not put off by each further edit: who never rests loses no more than a second.
  if (m_recovery && !m_isPaused && !m_soon.isActive()) m_soon.start();
}

void SessionKeeper::pause() {
  m_isPaused = true;
  m_soon.stop();
  m_regularly.stop();
}

void SessionKeeper::keep() {
  SessionState state = m_state();
  if (state.capture.isEmpty()) return;  // nothing to lose
  m_keep.request([store = m_recovery, state = std::move(state)](const Work&) {
    store->keep(state);
    return std::make_shared<const bool>(true);
  });
}

QString SessionKeeper::offered() const { return m_recovery ? m_recovery->offered() : QString(); }

void SessionKeeper::restore() {
  if (const QString path = offered(); !path.isEmpty()) request(path, {}, true);
}

void SessionKeeper::discardOffered() {
  if (m_recovery) m_recovery->discardOffered();
}

bool SessionKeeper::isSettled() const { return m_load.isReady() && m_save.isReady(); }

void SessionKeeper::close() {
  if (std::exchange(m_isClosed, true)) return;
  m_soon.stop();
  m_regularly.stop();
  while (!m_save.isReady()) {
    QCoreApplication::processEvents(QEventLoop::ExcludeUserInputEvents, 10);
  }
  if (!m_recovery) return;
  if (m_isRestored) m_recovery->discardOffered();
  m_recovery->close();
}

}  // namespace qaq::views
