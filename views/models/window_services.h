#pragma once

#include <QDateTime>
#include <QList>
#include <QString>
#include <QStringList>
#include <functional>
#include <memory>

#include "core/base/progress.h"
#include "views/models/capture_loader.h"
#include "views/models/diagnosis_service.h"
#include "views/models/lesson_services.h"
#include "views/models/session_state.h"

namespace qaq::views {

// What the program hands to the window, because file formats and models are not known here. Tests
// hand in fakes. What is left out is not offered.

/// A session as it was read, with where its capture is.
struct LoadedSession {
  SessionState state{};  ///< its capture is a path that can be opened; empty where it is missing
  QString missing{};     ///< the capture that was not found, as the session names it; else empty
  bool changed = false;  ///< a capture was found, but it is another file than was saved
};

/// Sessions as files. Called on worker threads; throws Error.
struct SessionFiles {
  /// `located` takes the place of a capture that was not found; empty: look for it.
  std::function<LoadedSession(const QString& path, const QString& located)> load;
  /// Writes it whole or not at all; returns the new `document`.
  std::function<QByteArray(const QString& path, const SessionState& state)> save;
};

/// Keeps a copy of the session while the window runs, so that a crash loses little.
class RecoveryStore {
 public:
  virtual ~RecoveryStore() = default;
  /// The newest session of a window that ended without closing and is not running any more; empty
  /// where there is none. It is this window's alone until it was discarded.
  virtual QString offered() = 0;
  /// What was offered is not wanted any more.
  virtual void discardOffered() = 0;
  /// Keeps the session of this window. Called on a worker thread; throws Error.
  virtual void keep(const SessionState& state) = 0;
  /// The window closes: nothing is to be offered, and nothing is kept any more.
  virtual void close() = 0;
};

struct RecentFile {
  QString path{};
  QDateTime opened{};
  bool exists = true;
};

/// Captures and sessions that were opened, newest first, each once.
class RecentFiles {
 public:
  static constexpr int kMost = 10;

  virtual ~RecentFiles() = default;
  virtual QList<RecentFile> list() const = 0;
  virtual void add(const QString& path) = 0;
  virtual void remove(const QString& path) = 0;
};

/// A bundled capture and how it is shown.
struct Sample {
  QString title{};
  QString path{};
  ScopeParams params{};
  QString view{};  ///< id of the view that it is about: "bits" or "attention"
};

/// What the form "Capture from model" holds.
struct CaptureForm {
  QString model{};   ///< a known name, a file or a folder
  QString prompt{};  ///< the text, where promptFile is empty
  QString promptFile{};
  bool chat = false;    ///< the text is a message: set into the model's chat template
  int generate = 0;     ///< tokens
  QString layers{};     ///< as in "0-3,14"; empty: all
  QString attention{};  ///< auto, full, window:N, derive, none
  QString dtype{};      ///< f32, f16, bf16
  QString output{};

  friend bool operator==(const CaptureForm&, const CaptureForm&) = default;
};

/// What a form will lead to.
struct CaptureForecast {
  QString model{};  ///< as it names itself
  qint64 promptTokens = 0;
  qint64 mostTokens = 0;
  int layers = 0;
  QString attention{};  ///< the profile that "auto" means
  qint64 bytes = 0;     ///< of the file
  QString warning{};    ///< empty: none
};

/// Runs a model into a capture file. Both are called on worker threads and throw Error.
struct CaptureMaker {
  std::function<CaptureForecast(const CaptureForm&, const Work&)> forecast;
  /// Leaves a whole file or none.
  std::function<void(const CaptureForm&, const Work&)> make;
  QStringList models{};  ///< known names that are there
};

struct WindowServices {
  CaptureOpener openCapture;
  SessionFiles sessions{};
  std::shared_ptr<RecoveryStore> recovery{};
  std::shared_ptr<RecentFiles> recent{};
  QList<Sample> samples{};
  CaptureMaker capture{};
  LessonServices lessons{};
  DiagnosisMaker diagnosis{};
};

}  // namespace qaq::views
