#pragma once

#include <QObject>
#include <QString>
#include <optional>

#include "views/models/capture_loader.h"
#include "views/models/replay_runner.h"
#include "views/models/selection_model.h"
#include "views/models/slice_loader.h"

namespace qaq::views {

/// The open capture with its parameters, selection and results, and the workers that make them. The
/// window shows it; it knows no widget. Results change in place: the last good one stays until a
/// newer one is whole.
class Workspace : public QObject {
  Q_OBJECT

 public:
  explicit Workspace(CaptureOpener opener, QObject* parent = nullptr);

  /// Opens a capture beside the one shown, which stays until the new one is replayed. Then `cell`
  /// is locked; without one the slice with the most violations is shown.
  void open(const QString& path, const std::optional<Cursor>& cell = std::nullopt);
  /// `isFinal` is false while a slider is dragged: what takes long waits for its release.
  void setParams(const ScopeParams& params, bool isFinal = true);
  /// Tokens to quantize; 0: all.
  void setPrefix(std::int64_t prefix, bool isFinal = true);
  /// Parameters and prefix for the capture that is opened next: what is shown is not replayed.
  void prepare(const ScopeParams& params, std::int64_t prefix);
  /// The slice was chosen: the violations that are found do not move it.
  void stay() { m_untouched.reset(); }
  /// Changes that wait for run() when off.
  void setLive(bool live);
  void run(bool isFinal = true);
  void cancel() { m_runner.cancel(); }

  SelectionModel& selection() { return m_selection; }
  const SelectionModel& selection() const { return m_selection; }
  ReplayRunner& runner() { return m_runner; }
  const QString& path() const { return m_path; }
  const SharedCapture& capture() const { return m_capture; }
  const ScopeParams& params() const { return m_params; }
  std::int64_t prefix() const { return m_prefix; }
  bool isLive() const { return m_live; }
  /// What is on the screen; null before the first result.
  const SharedSlice& shown() const { return m_shown; }
  /// What is shown was made with the present parameters.
  bool isCurrent() const;
  bool isLoading() const { return m_loader.busy(); }
  bool isBusy() const { return m_loader.busy() || m_runner.busy() || m_slices.busy(); }

 signals:
  void loading(const QString& path);
  /// A capture took the place of the last one; its selection is new, its first result on the way.
  void opened();
  void prefixChanged(std::int64_t prefix);
  void openFailed(const QString& path, const QString& line);
  /// shown() is new and whole.
  void changed();
  /// A replay was refused: `line` says why. What is shown stands.
  void failed(const QString& line);

 private:
  void take(const QString& path, const SharedCapture& capture);
  void takeAnalysis(const SharedAnalysis& analysis);
  void takeSlice(const SharedSlice& slice);
  void takeFailure(const QString& line, const SharedCapture& capture);
  void adopt(const SharedAnalysis& analysis);
  void lookAtViolations();
  void requestSlice();
  void lockStartCell();

  CaptureLoader m_loader;
  ReplayRunner m_runner;
  SliceLoader m_slices;
  SelectionModel m_selection;
  QString m_path;
  SharedCapture m_capture;
  QString m_nextPath;
  SharedCapture m_next;  ///< opened, but not replayed yet: what is shown stays until it is
  SharedAnalysis m_analysis;
  SharedSlice m_shown;
  ScopeParams m_params;
  std::int64_t m_prefix = 0;
  bool m_live = true;
  std::optional<Slice> m_untouched;   ///< where a new capture began, until its violations are known
  std::optional<Cursor> m_startCell;  ///< model layer in `layer`, until the capture is known
};

}  // namespace qaq::views
