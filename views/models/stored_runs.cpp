#include "views/models/stored_runs.h"

#include <algorithm>
#include <utility>

namespace qaq::views {

StoredRuns::StoredRuns(Workspace* workspace, RunList* list, QObject* parent)
    : QObject(parent),
      m_workspace(workspace),
      m_list(list),
      // A file whose runs cannot be read is shown without them: what it holds beside is whole.
      m_read([this](const auto& stored) { take(*stored); }, [](const QString&) {}) {
  connect(workspace, &Workspace::opened, this, &StoredRuns::request);
}

void StoredRuns::request() {
  if (!m_reader) return;
  m_read.request([reader = m_reader, path = m_workspace->path().toStdString()](const Work& work) {
    return std::make_shared<const std::vector<RunSummary>>(reader(path, work));
  });
}

void StoredRuns::take(const std::vector<RunSummary>& stored) {
  if (stored.empty()) return;
  std::vector<RunList::Run> runs;
  for (const RunSummary& summary : stored) runs.push_back({.summary = summary, .isStored = true});
  // What was replayed while they were read stays, unless it is one of them.
  for (const RunList::Run& run : m_list->runs()) {
    const bool isStored = std::ranges::any_of(
        stored, [&](const RunSummary& other) { return same_setting(run.summary, other); });
    if (!isStored) runs.push_back(run);
  }
  m_list->setRuns(std::move(runs));
}

}  // namespace qaq::views
