#include "core/replay/sweep.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/pareto.h"
#include "app/cli/printable.h"
#include "app/cli/sweep_ranks.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/replay/replay.h"
#include "core/replay/run_mode.h"
#include "data/capture/capture_file.h"
#include "data/presets/grid.h"
#include "data/presets/preset.h"
#include "data/results/results_file.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

// Runs of a task at most: enough that layers are read for many at once.
constexpr std::size_t kBatch = 48;
// Tasks for each of several ranks at least, where there are runs enough, so that they end together.
constexpr std::size_t kTasksOfARank = 4;

struct SweepCommand {
  std::vector<std::string> captures;
  std::string grid;
  std::string preset;
  std::vector<std::string> assignments;
  std::int64_t prefix = 0;
  std::int64_t n_rows = 32;
  std::string shard;
  std::string output;
  bool dry_run = false;
};

// Runs i, i + n, i + 2n ... of all.
struct Shard {
  std::size_t index = 0;
  std::size_t count = 1;
};

Shard parse_shard(const std::string& text) {
  if (text.empty()) return {};
  Shard shard;
  int end = 0;
  const bool read = std::sscanf(text.c_str(), "%zu/%zu%n", &shard.index, &shard.count, &end) == 2;
  if (!read || text.find('-') != std::string::npos || end != std::ssize(text) || shard.index < 1 ||
      shard.index > shard.count) {
    refuse_usage({.place = "--shard",
                  .what = cat("'", text, "' is no part of a whole"),
                  .cure = "write I/N with 1 <= I <= N, as in 1/4"});
  }
  --shard.index;
  return shard;
}

std::vector<QaqParams> settings_of_grid(const SweepCommand& options) {
  const auto defaults = params_from<QaqParams>(options.preset, options.assignments);
  const ParameterGrid grid = read_grid(options.grid);
  std::vector<QaqParams> out;
  try {
    for (const auto& list : settings_of(grid, list_parameters(defaults))) {
      out.push_back(params_of<QaqParams>(list));
      try {
        validate(out.back());
      } catch (const Error& error) {
        const std::string setting = command_line_text(list, list_parameters(QaqParams{}));
        refuse_input({.place = error.text().place,
                      .what = cat(error.text().what, " in the setting ", setting),
                      .cure = "leave it out with a condition in \"when\", as in \"n_bits_min <= "
                              "n_bits_max\""});
      }
    }
  } catch (const Error& error) {
    // Whatever the grid asks for is the file's fault.
    ErrorText text = error.text();
    text.file = options.grid;
    refuse_input(std::move(text));
  }
  return out;
}

// What a capture is, whatever its file is called.
std::string fingerprint(const CaptureInfo& info) {
  const Json json{{"model", info.model_sha256},
                  {"tokens", info.token_ids},
                  {"layers", info.layers},
                  {"dtype", static_cast<int>(info.dtype)},
                  {"rows", info.query_token}};
  return sha256_hex(json.dump());
}

// One capture with what is to be run on it.
class CaptureSweep {
 public:
  CaptureSweep(std::shared_ptr<const CaptureView> capture, const SweepOptions& options,
               const Work& work)
      : capture_(std::move(capture)), sweeper_(*capture_, options, work) {
    fingerprint_ = fingerprint(capture_->info());
  }

  std::string hash_of(const QaqParams& params) const {
    const Json json{{"capture", fingerprint_},
                    {"prefix", sweeper_.prefix()},
                    {"rows", sweeper_.n_rows()},
                    {"parameters", parameters_json(list_parameters(params))}};
    return sha256_hex(json.dump()).substr(0, 32);
  }

  std::vector<ResultRecord> run(std::span<const QaqParams> settings, const Work& work) {
    const auto results = sweeper_.run(settings, work);
    std::vector<ResultRecord> out;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Json metrics = metrics_json(*results[i]);
      const CaptureInfo& info = capture_->info();
      ResultRecord record;
      record.params = authors_params(settings[i], {info.model_name, info.name, 0});
      record.results = authors_results(metrics);
      record.qaq_scope = {{"hash", hash_of(settings[i])},
                          {"capture", info.name},
                          {"mode", name_of(RunMode::batch)},
                          {"prefix", sweeper_.prefix()},
                          {"compared_rows", sweeper_.n_rows()},
                          {"parameters", parameters_json(results[i]->parameters)},
                          {"metrics", metrics}};
      out.push_back(std::move(record));
    }
    return out;
  }

 private:
  std::shared_ptr<const CaptureView> capture_;
  Sweeper sweeper_;
  std::string fingerprint_;
};

struct SweepCounts {
  std::size_t planned = 0, found = 0, run = 0;
};

// Lists of indices into the settings, as texts.
std::vector<std::string> tasks_of(std::span<const std::size_t> missing, std::size_t n_ranks) {
  const std::size_t even = n_ranks == 1 ? kBatch : missing.size() / (n_ranks * kTasksOfARank);
  const std::size_t size = std::clamp<std::size_t>(even, 1, kBatch);
  std::vector<std::string> out;
  for (std::size_t first = 0; first < missing.size(); first += size) {
    out.push_back(Json(missing.subspan(first, std::min(size, missing.size() - first))).dump());
  }
  return out;
}

std::string result_of(const std::string& task, std::span<const QaqParams> settings,
                      CaptureSweep& capture, const Work& work) {
  std::vector<QaqParams> batch;
  for (const Json& i : Json::parse(task)) batch.push_back(settings[i.get<std::size_t>()]);
  Json out = Json::array();
  for (const ResultRecord& record : capture.run(batch, Work(nullptr, work.stop_token()))) {
    out.push_back(to_json(record));
  }
  return out.dump();
}

SweepCounts sweep(const SweepCommand& options, std::span<const QaqParams> settings,
                  SweepRanks& ranks, ResultsJournal* journal, ConsoleProgress& progress,
                  const Work& work) {
  const Shard shard = parse_shard(options.shard);
  SweepCounts counts;
  std::size_t number = 0;  // of a run among those of all captures
  for (const std::string& path : options.captures) {
    std::optional<CaptureSweep> opened;
    const auto capture = [&]() -> CaptureSweep& {
      if (!opened) {
        opened.emplace(open_capture(path, work), SweepOptions{options.prefix, options.n_rows},
                       work);
      }
      return *opened;
    };
    SweepRanks::Share share;
    share.compute = [&](const std::string& task) {
      return result_of(task, settings, capture(), work);
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
      for (std::size_t i = 0; i < settings.size(); ++i) {
        if (number++ % shard.count != shard.index) continue;
        ++counts.planned;
        if (journal->has(capture().hash_of(settings[i]))) {
          ++counts.found;
        } else {
          missing.push_back(i);
        }
      }
      share.tasks = tasks_of(missing, static_cast<std::size_t>(ranks.n_computing()));
      progress.note(cat(path, ": ", missing.size(), " runs to do"));
      work.report({"runs", 0, std::ssize(missing), "runs"});
    }
    ranks.share(share, work);
  }
  return counts;
}

void sweep_on_ranks(const SweepCommand& options, const CommonOptions& common, SweepRanks& ranks,
                    ConsoleProgress& progress, const Work& work) {
  const Stopwatch total;
  parse_shard(options.shard);
  const std::vector<QaqParams> settings = settings_of_grid(options);
  progress.note(cat(settings.size(), " settings on ", options.captures.size(),
                    " captures: ", settings.size() * options.captures.size(), " runs",
                    options.shard.empty() ? "" : cat(", of which this is shard ", options.shard)));
  if (options.dry_run) {
    if (!ranks.leads()) return;
    if (common.json) {
      print_json({{"settings", settings.size()}, {"captures", options.captures.size()}});
    } else {
      std::printf("%zu settings on %zu captures: %zu runs\n", settings.size(),
                  options.captures.size(), settings.size() * options.captures.size());
    }
    return;
  }
  if (options.output.empty()) {
    refuse_usage({.place = "-o", .what = "is missing", .cure = "name the results file"});
  }
  std::optional<ResultsJournal> journal;
  if (ranks.leads()) journal.emplace(options.output);
  SweepCounts counts;
  try {
    counts = sweep(options, settings, ranks, journal ? &*journal : nullptr, progress, work);
  } catch (const Error& error) {
    if (!journal || error.kind() != ErrorKind::interrupted) throw;
    // Says what is kept, where main would say that nothing is.
    throw Error(ErrorKind::interrupted,
                {.file = options.output,
                 .what = cat("interrupted; ", journal->records().size(), " runs are kept"),
                 .cure = "run the same command again to go on"});
  }
  if (!journal) return;
  journal->finish();
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
  require_device(common.device);
  SweepRanks ranks;
  if (common.threads == 0) set_thread_count(ranks.n_threads());
  ConsoleProgress progress(common.quiet || !ranks.leads());
  const Work work(&progress, Interruption::stop_token());
  ranks.run([&] { sweep_on_ranks(options, common, ranks, progress, work); });
}

struct MergeCommand {
  std::vector<std::string> shards;
  std::string output;
};

void merge(const MergeCommand& options, const CommonOptions& common) {
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
  write_results(options.output, all);
  if (common.json) {
    print_json({{"results", options.output}, {"read", n_read}, {"runs", all.size()}});
  } else {
    std::printf("%s: %zu runs, %zu read from %zu files\n", printable(options.output).c_str(),
                all.size(), n_read, options.shards.size());
  }
}

void add_merge(CLI::App& sweep, const CommonOptions& common) {
  auto options = std::make_shared<MergeCommand>();
  CLI::App* command = sweep.add_subcommand("merge", "Join the results files of shards");
  command->add_option("shards", options->shards, "Results files")->required();
  command->add_option("-o,--output", options->output, "The file with all runs")->required();
  command->footer(
      "Runs that are in several files are kept once. The order does not depend on the shards.\n"
      "Example:\n"
      "  qaq sweep merge part1.json part2.json -o all.json");
  command->callback([options, &common] { merge(*options, common); });
}

}  // namespace

void add_sweep(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<SweepCommand>();
  CLI::App* command =
      program.add_subcommand("sweep", "Replay captures under every setting of a grid");
  command->require_subcommand(0, 1);
  command->add_option("captures", options->captures, "Capture files");
  command->add_option("--grid", options->grid, "The grid, a JSON file");
  command->add_option("-o,--output", options->output,
                      "Results, a JSON file; runs that are in it already are not made again");
  command->add_option("--preset", options->preset,
                      "What the grid leaves alone: a bundled preset or a JSON file");
  command->add_option("--set", options->assignments, "One parameter, NAME=VALUE; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--prefix", options->prefix, "Tokens to quantize; 0: all")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str();
  command
      ->add_option("--rows", options->n_rows,
                   "Newest attention rows that scores and outputs are compared in; 0: none")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str();
  command->add_option("--shard", options->shard, "Make part I of N of the runs alone")
      ->type_name("I/N");
  command->add_flag("--dry-run", options->dry_run, "Say how many runs there are, and stop");
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
      "  qaq sweep story.h5 code.h5 --grid grid.json --shard 1/4 -o part1.json\n"
      "  mpirun -n 9 --bind-to none qaq sweep story.h5 --grid grid.json -o results.json\n"
      "Under mpirun (builds with QAQ_MPI=ON) the first rank writes the file and hands out runs, "
      "and\n"
      "the others make them; the file has the same bytes.");
  add_merge(*command, common);
  command->callback([options, command, &common] {
    if (!command->get_subcommands().empty()) return;
    if (options->captures.empty() || options->grid.empty()) {
      refuse_usage({.place = options->grid.empty() ? "--grid" : "captures",
                    .what = "is missing",
                    .cure = "write qaq sweep CAPTURE.h5 --grid GRID.json -o RESULTS.json"});
    }
    run(*options, common);
  });
}

}  // namespace qaq::cli
