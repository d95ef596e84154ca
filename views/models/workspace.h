#pragma once

#include <QObject>
#include <QString>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/run_tradeoff.h"
#include "views/models/capture_loader.h"
#include "views/models/derived.h"
#include "views/models/diagnosis_service.h"
#include "views/models/reference.h"
#include "views/models/replay_runner.h"
#include "views/models/selection_model.h"
#include "views/models/slice_loader.h"

namespace qaq::views {

/// Reads the runs of a capture file; the program hands it in.
using RunReader = std::function<std::vector<RunSummary>(const std::string& path, const Work& work)>;

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

  /// What is shown, B, is held against `reference`, A; nothing: against nothing any more.
  void setReference(std::optional<Reference> reference);
  const std::optional<Reference>& reference() const { return m_reference; }
  /// Holds what is shown against another capture: against the run of that name, or, without a name,
  /// against what the shown setting makes of it; of the open capture against its whole cache.
  /// referenceFailed() where it cannot be opened or has no such run. `take` gets it once it is
  /// found; left out, it is the reference then.
  using TakeReference = std::function<void(const Reference&)>;
  void compareWith(const QString& path, const QString& run, TakeReference take = {});
  /// The same of a reference whose capture is opened first, unless it is the open one.
  void compareWith(const Reference& wanted);
  /// The reference is kept while comparing is off.
  void setComparing(bool comparing);
  bool isComparing() const { return m_comparing && m_reference; }
  /// What is shown becomes the reference, with this label, and the reference is shown: params() and
  /// prefix() are its, and another capture is opened where it is of one.
  void swap(const QString& label);
  /// What the shown slices hold as the capture's diagnosis; null: none.
  void setDiagnosis(SharedDiagnosis diagnosis);
  void setRunReader(RunReader reader) { m_runReader = std::move(reader); }

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
  bool isBusy() const {
    return m_loader.busy() || m_runner.busy() || m_slices.busy() || m_referenceRunner.busy() ||
           !m_referenceFound.isReady();
  }

 signals:
  void loading(const QString& path);
  /// A capture took the place of the last one; its selection is new, its first result on the way.
  void opened();
  void prefixChanged(std::int64_t prefix);
  void openFailed(const QString& path, const QString& line);
  /// reference() or isComparing() is another.
  void referenceChanged();
  /// What was to be compared with could not be opened or replayed: `line` says why.
  void referenceFailed(const QString& line);
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
  SharedSlice withDiagnosis(const SharedSlice& slice) const;
  void runReference(bool isFinal);
  bool isOpen(const QString& path) const;
  void takeReference(const SharedAnalysis& analysis);
  void lockStartCell();

  CaptureOpener m_opener;
  RunReader m_runReader;
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
  SharedDiagnosis m_diagnosis;
  ScopeParams m_params;
  std::int64_t m_prefix = 0;
  bool m_live = true;
  std::optional<Reference> m_reference;
  bool m_comparing = true;
  bool m_swapped = false;  ///< m_next is the reference of before
  ReplayRunner m_referenceRunner;
  SharedAnalysis m_against;           ///< of the reference; null while there is none yet
  std::optional<Slice> m_untouched;   ///< where a new capture began, until its violations are known
  std::optional<Cursor> m_startCell;  ///< model layer in `layer`, until the capture is known
  TakeReference m_takeFound;          ///< of the newest request
  Derived<Reference> m_referenceFound;  // last: it uses all of the above
};

}  // namespace qaq::views
