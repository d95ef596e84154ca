#include "app/cli/sweep_options.h"

#include <cstdio>
#include <utility>

#include "app/cli/dtype_flag.h"
#include "app/cli/evaluate_options.h"
#include "app/cli/prune_flag.h"
#include "app/cli/replay_flags.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/presets/grid.h"
#include "data/presets/preset.h"

namespace qaq::cli {
namespace {

const auto kCount = CLI::Range(std::int64_t{0}, std::int64_t{1} << 40);

void add_subject_flags(CLI::App& command, SweepCommand& options) {
  command.add_option("captures", options.captures, "Capture files");
  auto* model =
      command.add_option("--model", options.model, "Model: a known name, a file or a folder");
  auto* task = command.add_option("--task", options.task,
                                  "Questions that the model answers on its quantized cache: our "
                                  "JSONL, or a file of HellaSwag, PIQA or MathQA");
  add_prune_flag(command, options.prune_weights)->needs(task);
  command.add_option("--prefix", options.prefix, "Of captures: tokens to quantize; 0: all")
      ->check(kCount)
      ->excludes(task)
      ->capture_default_str();
  command
      .add_option("--rows", options.n_rows,
                  "Of captures: newest attention rows that scores and outputs are compared in; 0: "
                  "none")
      ->check(kCount)
      ->excludes(task)
      ->capture_default_str();
  model->needs(task);
  task->needs(model);
  command.add_option("--limit", options.limit, "The first N questions alone")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->needs(task);
  add_question_seed_flag(command, options.seed)->needs(task);
  for (CLI::Option* flag : add_choice_flags(command, options.choice)) flag->needs(task);
  add_dtype_flag(command, options.dtype, kCacheDtypeHelp)->needs(task);
}

}  // namespace

void add_sweep_flags(CLI::App& command, SweepCommand& options) {
  add_subject_flags(command, options);
  command.add_option("--grid", options.grid, "The grid, a JSON file");
  command.add_option("-o,--output", options.output,
                     "Results, JSON or (NAME.h5) a table; runs that are in it already are not made "
                     "again");
  add_qaq_policy_flag(command, "qaq sweep");
  command.add_option("--preset", options.preset,
                     "What the grid leaves alone: a bundled preset or a JSON file");
  command.add_option("--set", options.assignments, "One parameter, NAME=VALUE; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--shard", options.shard, "Make part I of N of the runs alone")
      ->type_name("I/N");
  command.add_flag("--dry-run", options.dry_run, "Say how many runs there are, and stop");
}

void check_sweep_usage(const SweepCommand& options) {
  const char* how =
      "write qaq sweep CAPTURE.h5 --grid GRID.json -o RESULTS.json, or --model M --task F for the "
      "capture";
  if (!options.captures.empty() && !options.task.empty()) {
    refuse_usage({.place = "--task",
                  .what = cat("goes without captures, and ", options.captures.front(), " is one"),
                  .cure = "sweep them one after the other, into the same file"});
  }
  if (options.captures.empty() && options.task.empty()) {
    refuse_usage({.place = "captures", .what = "are missing", .cure = how});
  }
  if (options.grid.empty()) refuse_usage({.place = "--grid", .what = "is missing", .cure = how});
}

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

}  // namespace qaq::cli
