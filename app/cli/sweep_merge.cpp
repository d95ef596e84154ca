#include "app/cli/sweep_merge.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "app/cli/console.h"
#include "app/cli/printable.h"
#include "data/results/results_file.h"

namespace qaq::cli {
namespace {

struct MergeCommand {
  std::vector<std::string> shards;
  std::string output;
};

void merge(const MergeCommand& options, const CommonOptions& common) {
  // Nothing but results is replaced.
  if (std::filesystem::is_regular_file(options.output)) read_results(options.output);
  std::vector<ResultRecord> all;
  std::set<std::string> seen;
  std::size_t n_read = 0;
  for (const std::string& path : options.shards) {
    for (ResultRecord& record : read_results(path)) {
      ++n_read;
      // The authors' runs have no hash: all of them are kept.
      const std::string hash = record.hash();
      if (hash.empty() || seen.insert(hash).second) all.push_back(std::move(record));
    }
  }
  sort_results(all);
  write_results(options.output, all, provenance());
  if (common.json) {
    print_json({{"results", options.output}, {"read", n_read}, {"runs", all.size()}});
  } else {
    std::printf("%s: %zu runs, %zu read from %zu files\n", printable(options.output).c_str(),
                all.size(), n_read, options.shards.size());
  }
}

}  // namespace

void add_sweep_merge(CLI::App& sweep, const CommonOptions& common) {
  auto options = std::make_shared<MergeCommand>();
  CLI::App* command = sweep.add_subcommand("merge", "Join the results files of shards");
  command->add_option("shards", options->shards, "Results files")->required();
  command->add_option("-o,--output", options->output, "The file with all runs")->required();
  command->footer(
      "Runs that are in several files are kept once. The order does not depend on the shards. "
      "Files "
      "are\n"
      "JSON or HDF5 tables, which what is in them tells; NAME.h5 is written as a table.\n"
      "Examples:\n"
      "  qaq sweep merge part1.json part2.json -o all.json\n"
      "  qaq sweep merge all.json -o all.h5");
  command->callback([options, &common] { merge(*options, common); });
}

}  // namespace qaq::cli
