#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/pareto.h"
#include "app/cli/printable.h"
#include "app/cli/sweep_merge.h"
#include "app/cli/sweep_options.h"
#include "app/cli/sweep_ranks.h"
#include "app/cli/sweep_runs.h"
#include "app/cli/sweep_subject.h"
#include "app/wiring/device.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "data/results/results_file.h"

namespace qaq::cli {
namespace {

// What a kill leaves of the questions under the settings in hand.
std::string item_log_of(const SweepCommand& options) { return options.output + ".items"; }

std::vector<SubjectSource> subjects_of(const SweepCommand& options, const SweepRanks& ranks,
                                       const OpenReplay& open) {
  if (!options.task.empty()) {
    // Of several ranks the first, which alone writes files, computes nothing.
    const std::string log = ranks.leads() ? item_log_of(options) : "";
    return {task_subject({options.model,
                          options.task,
                          options.prune_weights,
                          {options.limit, options.seed},
                          options.choice,
                          options.dtype,
                          log})};
  }
  std::vector<SubjectSource> out;
  for (const std::string& path : options.captures) {
    out.push_back(capture_subject(path, {options.prefix, options.n_rows}, open));
  }
  return out;
}

// "12 settings on 2 captures: 24 runs".
std::string counts_text(const SweepCommand& options, std::size_t n_settings) {
  if (!options.task.empty()) return cat(n_settings, " settings on a task: ", n_settings, " runs");
  const std::size_t n = options.captures.size();
  return cat(n_settings, " settings on ", n, " captures: ", n_settings * n, " runs");
}

void print_counts(const SweepCommand& options, const CommonOptions& common,
                  std::size_t n_settings) {
  if (!common.json) {
    std::printf("%s\n", counts_text(options, n_settings).c_str());
  } else if (options.task.empty()) {
    print_json({{"settings", n_settings}, {"captures", options.captures.size()}});
  } else {
    print_json({{"settings", n_settings}, {"tasks", 1}});
  }
}

void sweep_on_ranks(const SweepCommand& options, const CommonOptions& common, SweepRanks& ranks,
                    ConsoleProgress& progress, const Work& work) {
  const Stopwatch total;
  const OpenReplay open = make_replay(common.device);
  const Shard shard = parse_shard(options.shard);
  const std::vector<QaqParams> settings = settings_of_grid(options);
  progress.note(cat(counts_text(options, settings.size()),
                    options.shard.empty() ? "" : cat(", of which this is shard ", options.shard)));
  if (options.dry_run) {
    if (ranks.leads()) print_counts(options, common, settings.size());
    return;
  }
  if (options.output.empty()) {
    refuse_usage({.place = "-o", .what = "is missing", .cure = "name the results file"});
  }
  std::optional<ResultsJournal> journal;
  if (ranks.leads()) {
    auto record = provenance();
    add_replay_device(record, common.device);
    journal.emplace(options.output, std::move(record));
  }
  SweepCounts counts;
  try {
    counts = make_runs({subjects_of(options, ranks, open), settings, shard}, ranks,
                       journal ? &*journal : nullptr, progress, work);
  } catch (const Error& error) {
    if (journal && error.kind() != ErrorKind::interrupted) journal->drop_if_empty();
    if (!journal || error.kind() != ErrorKind::interrupted) throw;
    // Says what is kept, where main would say that nothing is.
    throw Error(ErrorKind::interrupted,
                {.file = journal->journal_path(),
                 .what = cat("interrupted; ", journal->records().size(), " runs are kept"),
                 .cure = "run the same command again to go on"});
  }
  if (!journal) return;
  journal->finish();
  if (!options.task.empty()) std::filesystem::remove(item_log_of(options));
  if (common.json) {
    print_json({{"results", options.output},
                {"runs", counts.planned},
                {"found", counts.found},
                {"run", counts.run},
                {"pareto", pareto_json(journal->records())},
                {"timing", {{"total", total.seconds()}}}});
    return;
  }
  std::printf("%s: %zu runs, %zu of them found there, %zu made in %.1f s\n",
              printable(options.output).c_str(), counts.planned, counts.found, counts.run,
              total.seconds());
  print_pareto(journal->records());
}

void run(const SweepCommand& options, const CommonOptions& common) {
  check_sweep_usage(options);
  if (!options.task.empty()) require_device(common.device);
  SweepRanks ranks;
  if (common.threads == 0) set_thread_count(ranks.n_threads());
  ConsoleProgress progress(common.quiet || !ranks.leads());
  const Work work(&progress, Interruption::stop_token());
  ranks.run([&] { sweep_on_ranks(options, common, ranks, progress, work); });
}

}  // namespace

void add_sweep(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<SweepCommand>();
  CLI::App* command = program.add_subcommand(
      "sweep", "Replay captures, or answer questions, under every setting of a grid");
  command->require_subcommand(0, 1);
  add_sweep_flags(*command, *options);
  command->footer(
      "A grid lists values by parameter; \"when\" leaves settings out, or gives some of them axes\n"
      "of their own:\n"
      "  {\"format\": \"qaq-grid\", \"version\": 1,\n"
      "   \"grid\": {\"level\": [\"token\", \"head\"], \"n_bits_min\": [{\"from\": 0, \"to\": "
      "2}],\n"
      "            \"n_bits_max\": [2, 3, 4], \"target_quantization_error\": [1, 3, 10, 30]},\n"
      "   \"when\": [\"n_bits_min <= n_bits_max\"]}\n"
      "Examples:\n"
      "  qaq sweep story.h5 --grid grid.json --prefix 400 -o results.json\n"
      "  qaq sweep story.h5 --grid grid.json --device cuda -o results.json\n"
      "  qaq sweep --model smollm2-135m --task piqa.jsonl --limit 100 --grid grid.json -o "
      "results.json\n"
      "  qaq sweep story.h5 code.h5 --grid grid.json --shard 1/4 -o part1.json\n"
      "  mpirun -n 9 --bind-to none qaq sweep story.h5 --grid grid.json -o results.json\n"
      "RESULTS.h5 is an HDF5 table: a row a run, a column each parameter and metric, and each run "
      "as "
      "JSON\n"
      "(record_json). It is written when the sweep ends; until then finished runs are in "
      "RESULTS.h5.runs.json.\n"
      "A finished run is kept at once, and of a task the questions under the settings in hand (16 "
      "at "
      "a\n"
      "time share the whole cache's pass), in RESULTS.items: the same command goes on after a "
      "kill.\n"
      "Under mpirun (builds with QAQ_MPI=ON) the first rank writes the file and hands out runs, "
      "and\n"
      "the others make them; the file has the same bytes.");
  add_sweep_merge(*command, common);
  command->callback([options, command, &common] {
    if (command->get_subcommands().empty()) run(*options, common);
  });
}

}  // namespace qaq::cli
