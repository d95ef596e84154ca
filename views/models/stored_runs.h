#pragma once

#include <functional>
#include <string>
#include <vector>

#include "views/models/derived.h"
#include "views/models/run_list.h"
#include "views/models/workspace.h"

namespace qaq::views {

/// Puts the runs that a capture's file keeps onto the list, on a worker, whenever one is opened.
class StoredRuns : public QObject {
  Q_OBJECT

 public:
  StoredRuns(Workspace* workspace, RunList* list, QObject* parent = nullptr);

  /// Takes effect at the next capture that is opened.
  void setReader(RunReader reader) { m_reader = std::move(reader); }
  bool isSettled() const { return m_read.isReady(); }

 private:
  void request();
  void take(const std::vector<RunSummary>& stored);

  Workspace* m_workspace;
  RunList* m_list;
  RunReader m_reader;
  Derived<std::vector<RunSummary>> m_read;
};

}  // namespace qaq::views
