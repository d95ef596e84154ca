#pragma once

#include <QObject>
#include <QString>
#include <vector>

#include "core/analysis/run_tradeoff.h"
#include "views/models/analysis.h"

namespace qaq::views {

/// The settings of the open capture that were replayed to the end, and the runs that its file
/// keeps. Without their arrays, so that all of an afternoon fit.
class RunList : public QObject {
  Q_OBJECT

 public:
  static constexpr int kMost = 200;  ///< the oldest without a name gives way

  struct Run {
    RunSummary summary;
    bool isStored = false;  ///< in the capture's file
  };

  using QObject::QObject;

  /// Another capture: its stored runs, and nothing of the last one.
  void reset(std::vector<RunSummary> stored);
  /// What reset() and remove() took is given back.
  void setRuns(std::vector<Run> runs);
  /// A finished analysis; the setting becomes the current one. Known settings are not added again.
  void add(const Analysis& analysis);
  /// Not of stored runs.
  void rename(int index, const QString& name);
  /// Takes a run off the list; nothing is deleted from files. It can be inserted again.
  Run remove(int index);
  void insert(int index, const Run& run);

  const std::vector<Run>& runs() const { return m_runs; }
  std::vector<RunSummary> summaries() const;
  /// Of the setting that is shown; -1: not on the list.
  int current() const { return m_current; }

 signals:
  void changed();

 private:
  int indexOf(const RunSummary& summary) const;
  void dropOldest();

  std::vector<Run> m_runs;
  RunSummary m_shown;
  int m_current = -1;
};

}  // namespace qaq::views
