#include "app/cli/sweep_runs.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/text.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

// Lists of indices into the settings, as texts.
std::vector<std::string> tasks_of(const SubjectSource& source, std::span<const std::size_t> missing,
                                  std::size_t n_ranks) {
  const std::size_t n_batches = n_ranks * source.n_batches_of_a_rank;
  const std::size_t even =
      n_ranks == 1 ? source.n_at_a_time : (missing.size() + n_batches - 1) / n_batches;
  const std::size_t size = std::clamp<std::size_t>(even, 1, source.n_at_a_time);
  std::vector<std::string> out;
  for (std::size_t first = 0; first < missing.size(); first += size) {
    out.push_back(Json(missing.subspan(first, std::min(size, missing.size() - first))).dump());
  }
  return out;
}

std::string result_of(const std::string& task, std::span<const QaqParams> settings,
                      SweepSubject& subject, const Work& work) {
  std::vector<QaqParams> batch;
  for (const Json& i : Json::parse(task)) batch.push_back(settings[i.get<std::size_t>()]);
  Json out = Json::array();
  for (const ResultRecord& record : subject.run(batch, work)) out.push_back(to_json(record));
  return out.dump();
}

}  // namespace

SweepCounts make_runs(const SweepJob& job, SweepRanks& ranks, ResultsJournal* journal,
                      ConsoleProgress& progress, const Work& work) {
  SweepCounts counts;
  std::size_t number = 0;  // of a run among those of all subjects
  for (const SubjectSource& source : job.subjects) {
    std::unique_ptr<SweepSubject> opened;
    const auto subject = [&]() -> SweepSubject& {
      if (!opened) opened = source.open(work);
      return *opened;
    };
    SweepRanks::Share share;
    share.compute = [&](const std::string& task) {
      return result_of(task, job.settings, subject(), work);
    };
    std::vector<std::size_t> missing;
    std::int64_t n_done = 0;
    share.take = [&](const std::string& result) {
      for (Json& run : Json::parse(result)) {
        journal->append(
            {std::move(run["params"]), std::move(run["results"]), std::move(run["qaq_scope"])});
        ++counts.run;
        ++n_done;
      }
      work.report({"runs", n_done, std::ssize(missing), "runs"});
    };
    if (ranks.leads()) {
      for (std::size_t i = 0; i < job.settings.size(); ++i) {
        if (number++ % job.shard.count != job.shard.index) continue;
        ++counts.planned;
        if (journal->has(subject().hash_of(job.settings[i]))) {
          ++counts.found;
        } else {
          missing.push_back(i);
        }
      }
      share.tasks = tasks_of(source, missing, static_cast<std::size_t>(ranks.n_computing()));
      progress.note(cat(source.name, ": ", missing.size(), " runs to do"));
      work.report({"runs", 0, std::ssize(missing), "runs"});
    }
    ranks.share(share, work);
  }
  return counts;
}

}  // namespace qaq::cli
