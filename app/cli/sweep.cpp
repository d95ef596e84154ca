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
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/replay/replay.h"
#include "data/capture/capture_file.h"
#include "data/presets/grid.h"
#include "data/presets/preset.h"
#include "data/results/results_file.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

// Runs between two looks at the results file: enough that layers are read for many at once.
constexpr std::size_t kBatch = 48;

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
                          {"mode", "batch"},
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

SweepCounts sweep(const SweepCommand& options, std::span<const QaqParams> settings,
                  ResultsJournal& journal, ConsoleProgress& progress, const Work& work) {
  const Shard shard = parse_shard(options.shard);
  SweepCounts counts;
  std::size_t number = 0;  // of a run among those of all captures
  for (const std::string& path : options.captures) {
    CaptureSweep capture(open_capture(path, work), {options.prefix, options.n_rows}, work);
    std::vector<QaqParams> missing;
    for (const QaqParams& params : settings) {
      if (number++ % shard.count != shard.index) continue;
      ++counts.planned;
      if (journal.has(capture.hash_of(params))) {
        ++counts.found;
      } else {
        missing.push_back(params);
      }
    }
    progress.note(cat(path, ": ", missing.size(), " runs to do"));
    const auto total = static_cast<std::int64_t>(missing.size());
    for (std::size_t first = 0; first < missing.size(); first += kBatch) {
      work.report({"runs", static_cast<std::int64_t>(first), total, "runs"});
      const auto batch =
          std::span(missing).subspan(first, std::min(kBatch, missing.size() - first));
      for (ResultRecord& record : capture.run(batch, Work(nullptr, work.stop_token()))) {
        journal.append(std::move(record));
        ++counts.run;
      }
    }
    work.report({"runs", total, total, "runs"});
  }
  return counts;
}

void run(const SweepCommand& options, const CommonOptions& common) {
  require_device(common.device);
  const Stopwatch total;
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  parse_shard(options.shard);
  const std::vector<QaqParams> settings = settings_of_grid(options);
  progress.note(cat(settings.size(), " settings on ", options.captures.size(),
                    " captures: ", settings.size() * options.captures.size(), " runs",
                    options.shard.empty() ? "" : cat(", of which this is shard ", options.shard)));
  if (options.dry_run) {
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
  ResultsJournal journal(options.output);
  const SweepCounts counts = sweep(options, settings, journal, progress, work);
  journal.finish();
  if (common.json) {
    print_json({{"results", options.output},
                {"runs", counts.planned},
                {"found", counts.found},
                {"run", counts.run},
                {"pareto", pareto_json(journal.records())},
                {"timing", {{"total", total.seconds()}}}});
    return;
  }
  std::printf("%s: %zu runs, %zu of them found there, %zu made in %.1f s\n",
              printable(options.output).c_str(), counts.planned, counts.found, counts.run,
              total.seconds());
  print_pareto(journal.records());
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
      "  qaq sweep story.h5 code.h5 --grid grid.json --shard 1/4 -o part1.json");
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
