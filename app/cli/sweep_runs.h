#pragma once

#include <cstddef>
#include <vector>

#include "app/cli/console.h"
#include "app/cli/sweep_options.h"
#include "app/cli/sweep_ranks.h"
#include "app/cli/sweep_subject.h"
#include "data/results/results_file.h"

namespace qaq::cli {

/// All runs of a sweep: every setting on every subject, of which this shard is made.
struct SweepJob {
  std::vector<SubjectSource> subjects;
  std::vector<QaqParams> settings;
  Shard shard;
};

struct SweepCounts {
  std::size_t planned = 0;  ///< of this shard
  std::size_t found = 0;    ///< in the file already
  std::size_t run = 0;
};

/// Makes the runs that the journal lacks, and appends each batch when it is finished. All ranks
/// call it, within SweepRanks::run(); the first alone has a journal and gives the counts.
SweepCounts make_runs(const SweepJob& job, SweepRanks& ranks, ResultsJournal* journal,
                      ConsoleProgress& progress, const Work& work);

}  // namespace qaq::cli
