#include "views/models/run_list.h"

#include <algorithm>
#include <utility>

namespace qaq::views {

void RunList::reset(std::vector<RunSummary> stored) {
  m_runs.clear();
  m_current = -1;
  for (RunSummary& summary : stored) {
    m_runs.push_back({.summary = std::move(summary), .isStored = true});
  }
  emit changed();
}

void RunList::setRuns(std::vector<Run> runs) {
  m_runs = std::move(runs);
  m_current = indexOf(m_shown);
  emit changed();
}

void RunList::add(const Analysis& analysis) {
  m_shown = summary_of(*analysis.replay);
  m_current = indexOf(m_shown);
  if (m_current >= 0) {
    // A session gives settings back without what they came to.
    m_runs[static_cast<std::size_t>(m_current)].summary.metrics = m_shown.metrics;
  } else {
    m_runs.push_back({.summary = m_shown});
    dropOldest();
    m_current = indexOf(m_shown);
  }
  emit changed();
}

void RunList::dropOldest() {
  if (m_runs.size() <= kMost) return;
  const auto oldest = std::ranges::find_if(
      m_runs, [](const Run& run) { return !run.isStored && run.summary.name.empty(); });
  if (oldest != m_runs.end()) m_runs.erase(oldest);
}

void RunList::rename(int index, const QString& name) {
  m_runs.at(static_cast<std::size_t>(index)).summary.name = name.trimmed().toStdString();
  emit changed();
}

RunList::Run RunList::remove(int index) {
  Run run = m_runs.at(static_cast<std::size_t>(index));
  m_runs.erase(m_runs.begin() + index);
  m_current = indexOf(m_shown);
  emit changed();
  return run;
}

void RunList::insert(int index, const Run& run) {
  index = std::clamp(index, 0, static_cast<int>(m_runs.size()));
  m_runs.insert(m_runs.begin() + index, run);
  m_current = indexOf(m_shown);
  emit changed();
}

std::vector<RunSummary> RunList::summaries() const {
  std::vector<RunSummary> all;
  for (const Run& run : m_runs) all.push_back(run.summary);
  return all;
}

int RunList::indexOf(const RunSummary& summary) const {
  const auto found = std::ranges::find_if(
      m_runs, [&](const Run& run) { return same_setting(run.summary, summary); });
  return found == m_runs.end() ? -1 : static_cast<int>(found - m_runs.begin());
}

}  // namespace qaq::views
