#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/analysis/run_tradeoff.h"
#include "views/models/derived.h"
#include "views/models/workspace.h"

namespace qaq::views {

/// Runs that are stored in a capture file; the program hands in what reads them.
using RunReader = std::function<std::vector<RunSummary>(const std::string& path, const Work& work)>;

/// The runs of the open capture: those that its file holds, and every setting that was replayed
/// whole since it was opened, each once.
class RunHistory : public QObject {
  Q_OBJECT

 public:
  using Runs = std::shared_ptr<const std::vector<RunSummary>>;

  explicit RunHistory(Workspace* workspace, QObject* parent = nullptr);

  /// Takes effect at the next capture that is opened.
  void setReader(RunReader reader) { m_reader = std::move(reader); }
  /// Stored ones first. Never null.
  const Runs& runs() const { return m_runs; }
  bool isSettled() const { return m_stored.isReady(); }

 signals:
  void changed();

 private:
  void begin();
  void takeResult();
  void add(const std::vector<RunSummary>& runs, bool first);

  Workspace* m_workspace;
  RunReader m_reader;
  Runs m_runs = std::make_shared<const std::vector<RunSummary>>();
  Derived<std::vector<RunSummary>> m_stored;
};

}  // namespace qaq::views
