#include "views/models/run_history.h"

#include <algorithm>
#include <utility>

namespace qaq::views {

RunHistory::RunHistory(Workspace* workspace, QObject* parent)
    : QObject(parent),
      m_workspace(workspace),
      // A file whose runs cannot be read is shown without them: what it holds beside is whole.
      m_stored([this](const auto& runs) { add(*runs, true); }, [](const QString&) {}) {
  connect(workspace, &Workspace::opened, this, &RunHistory::begin);
  connect(workspace, &Workspace::changed, this, &RunHistory::takeResult);
}

void RunHistory::begin() {
  m_runs = std::make_shared<const std::vector<RunSummary>>();
  emit changed();
  if (!m_reader) return;
  m_stored.request([reader = m_reader, path = m_workspace->path().toStdString()](const Work& work) {
    return std::make_shared<const std::vector<RunSummary>>(reader(path, work));
  });
}

void RunHistory::takeResult() {
  const SharedSlice& shown = m_workspace->shown();
  if (!shown || shown->analysis->stage != Analysis::Stage::scores) return;
  add({summary_of(*shown->analysis->replay)}, false);
}

void RunHistory::add(const std::vector<RunSummary>& runs, bool first) {
  std::vector<RunSummary> all = first ? runs : *m_runs;
  bool grown = first;
  for (const RunSummary& run : first ? *m_runs : runs) {
    const bool known =
        std::ranges::any_of(all, [&](const RunSummary& other) { return same_setting(run, other); });
    if (known) continue;
    all.push_back(run);
    grown = true;
  }
  if (!grown) return;
  m_runs = std::make_shared<const std::vector<RunSummary>>(std::move(all));
  emit changed();
}

}  // namespace qaq::views
