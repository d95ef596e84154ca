#include "app/cli/item_runs.h"

#include <algorithm>

namespace qaq::cli {

void run_items(const EvaluationItems& items, const ChoiceOptions& options, const ItemRuns& runs,
               std::vector<ItemResult>& out, const Work& work) {
  out.clear();
  if (runs.log) {
    const auto& finished = runs.log->finished();
    const auto n = std::min(finished.size(), static_cast<std::size_t>(items.size()));
    for (std::size_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::int64_t>(i);
      runs.log->require(i, items.id(at), items.answer(at));
      out.push_back(finished[i]);
    }
  }
  if (std::ssize(out) == items.size()) return;
  PrefixRun& run = runs.open();
  const auto report = [&] {
    work.report(
        {"evaluate", std::ssize(out), items.size(), items.is_task() ? "questions" : "windows"});
  };
  report();
  for (std::int64_t i = std::ssize(out); i < items.size(); ++i) {
    work.throw_if_stopped();
    out.push_back(items.run(run, i, options, work));
    if (runs.log) runs.log->append(out.back());
    report();
  }
}

}  // namespace qaq::cli
