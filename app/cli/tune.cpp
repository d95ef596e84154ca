#include "core/evaluate/tune.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/dtype_flag.h"
#include "app/cli/printable.h"
#include "app/cli/prune_flag.h"
#include "app/cli/replay_flags.h"
#include "app/cli/tune_ground.h"
#include "app/wiring/cpu_engines.h"
#include "app/wiring/inputs.h"
#include "core/base/error.h"
#include "core/base/shell.h"
#include "core/base/text.h"
#include "core/replay/run_mode.h"
#include "data/capture/capture_file.h"
#include "data/presets/preset.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

// Windows of each half of a text, unless told otherwise.
constexpr std::int64_t kDefaultLimit = 4;

struct TuneCommand {
  std::string capture, check;
  std::string model, text;
  double prune_weights = 0;
  std::string target;
  std::string preset;
  std::vector<std::string> assignments;
  TextCut cut;
  std::int64_t limit = kDefaultLimit;
  SweepOptions compared;
  int n_steps = kTuneSteps;
  DType dtype = DType::f32;

  bool on_text() const { return !text.empty(); }
};

// What --target says: a figure by its name, and how it becomes a loss that shall be small.
struct Goal {
  std::string name;
  double value = 0;
  std::string loss_name;
  TuneTarget target;

  double loss_of(const Json& figures) const {
    const double figure = figures.at(loss_name).get<double>();
    return loss_name == "same_top" ? 1 - figure : figure;
  }
  TuneFigures figures_of(const Json& figures) const {
    return {figures.at("ratio_packed").get<double>(), loss_of(figures)};
  }
};

Goal parse_goal(const TuneCommand& options) {
  const std::vector<std::string> names =
      options.on_text() ? std::vector<std::string>{"kl", "same_top", "ratio_packed"}
                        : std::vector<std::string>{"ratio_packed", "output_error"};
  const auto [name, text] = split_assignment(options.target);
  Goal goal;
  goal.name = name;
  if (std::ranges::find(names, name) == names.end()) {
    std::string all;
    for (const std::string& each : names) all += (all.empty() ? "" : ", ") + each;
    refuse_usage({.place = "--target",
                  .what = cat("'", printable(name), "' is no target of a ",
                              options.on_text() ? "text" : "capture"),
                  .cure = cat("take one of ", all, ", as in ", names[0], "=",
                              options.on_text() ? "0.01" : "6")});
  }
  char* end = nullptr;
  goal.value = std::strtod(text.c_str(), &end);
  const bool is_share = name == "same_top";
  if (text.empty() || *end != '\0' || !std::isfinite(goal.value) || goal.value <= 0 ||
      (is_share && goal.value > 1)) {
    refuse_usage({.place = "--target",
                  .what = cat("'", printable(text), "' is no value of ", name),
                  .cure = is_share ? "give a share above 0 and up to 1" : "give a number above 0"});
  }
  goal.target.limits_ratio = name == "ratio_packed";
  goal.target.limit = is_share ? 1 - goal.value : goal.value;
  goal.loss_name = !goal.target.limits_ratio ? name : options.on_text() ? "kl" : "output_error";
  return goal;
}

// What the user set stays; of a preset all but the error target, which every preset has.
TuneOptions tune_options(const TuneCommand& options, const TuneTarget& target) {
  TuneOptions out;
  out.fixed = params_from<QaqParams>(options.preset, options.assignments);
  check_params_from(options.preset, options.assignments, [&] { validate(out.fixed); });
  if (!options.preset.empty()) {
    for (const auto& [name, value] : read_preset(options.preset)) {
      if (!name.ends_with("target_quantization_error")) out.fixed_names.push_back(name);
    }
  }
  for (const std::string& assignment : options.assignments) {
    out.fixed_names.push_back(split_assignment(assignment).first);
  }
  out.target = target;
  out.n_steps = options.n_steps;
  return out;
}

// The command that uses the setting on what it was tuned on.
std::string command_of(const TuneCommand& options, const EvaluationItems* items,
                       const QaqParams& params) {
  std::string out;
  if (items) {
    out = cat("qaq evaluate --model ", shell_word(options.model), " --text ",
              shell_word(options.text), " --window ", items->window, " --stride ", items->stride);
    if (options.prune_weights > 0) {
      out += cat(" --prune-weights ", number_text(options.prune_weights));
    }
    if (options.dtype != DType::f32) out += cat(" --dtype ", name_of(options.dtype));
  } else {
    out = cat("qaq replay ", shell_word(options.capture));
    if (options.compared.prefix > 0) out += cat(" --prefix ", options.compared.prefix);
  }
  const std::string changed =
      command_line_text(list_parameters(params), list_parameters(QaqParams{}));
  return changed.empty() ? out : cat(out, " ", changed);
}

std::string text_of(const Json& figure) {
  if (figure.is_null()) return "-";
  if (figure.is_boolean()) return figure.get<bool>() ? "yes" : "no";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.4g", figure.get<double>());
  return buffer;
}

void print_figures(const char* name, const Json& figures) {
  std::printf("  %-8s", name);
  for (const auto& [key, figure] : figures.items()) {
    std::printf("  %s %s", key.c_str(), text_of(figure).c_str());
  }
  std::printf("\n");
}

[[noreturn]] void refuse_target(const Goal& goal, std::size_t n_trials, const Json& nearest,
                                const std::string& command) {
  throw Error(ErrorKind::work,
              {.place = cat("--target ", goal.name, "=", number_text(goal.value)),
               .what = cat("none of ", n_trials, " settings meets it; the nearest has ", goal.name,
                           " ", text_of(nearest.at(goal.name))),
               .cure = cat("ask for no more than that, which this has: ", command)});
}

// What a setting is tuned on, and then checked on where there is a second.
struct Grounds {
  TuneGround& tuned;
  TuneGround* checked;
  const EvaluationItems* items;  // of the first half of a text
};

void tune_on(const TuneCommand& options, const CommonOptions& common, Goal goal,
             const Grounds& grounds, const Work& work) {
  const Stopwatch total;
  const Work silent(nullptr, work.stop_token());
  std::vector<Json> seen;  // by trial
  const auto measure = [&](std::span<const QaqParams> settings) {
    std::vector<TuneFigures> out;
    for (Json& figures : grounds.tuned.measure(settings, silent)) {
      out.push_back(goal.figures_of(figures));
      seen.push_back(std::move(figures));
    }
    return out;
  };
  const TuneResult result = tune(tune_options(options, goal.target), measure, work);
  const QaqParams& best = result.trials[result.best].params;
  const Json& tuned = seen[result.best];
  const std::string command = command_of(options, grounds.items, best);
  if (!result.met) refuse_target(goal, seen.size(), tuned, command);

  Json checked;
  bool holds = true;
  if (grounds.checked) {
    checked = grounds.checked->measure({&best, 1}, silent).front();
    holds = goal.target.met_by(goal.figures_of(checked));
    checked["met"] = holds;
  }
  if (common.json) {
    const RunMode mode = grounds.items ? RunMode::in_the_model : RunMode::batch;
    print_json({{"target", {{goal.name, goal.value}}},
                {"mode", name_of(mode)},
                // A capture has its own.
                {"dtype", grounds.items ? Json(name_of(options.dtype)) : Json(nullptr)},
                {"trials", seen.size()},
                {"parameters", parameters_json(list_parameters(best))},
                {"tuned", tuned},
                {"checked", checked},
                {"command_line", command},
                {"timing", {{"total", total.seconds()}}}});
    return;
  }
  std::printf("%s=%s: the best of %zu settings\n", goal.name.c_str(),
              number_text(goal.value).c_str(), seen.size());
  print_figures("tuned", tuned);
  if (grounds.checked) {
    checked.erase("met");
    print_figures("checked", checked);
    if (!holds) {
      std::printf("  warning: %s misses the target where the setting was not tuned; ask for more\n",
                  goal.name.c_str());
    }
  } else {
    std::printf("  not checked on another text; --check CAPTURE.h5 does\n");
  }
  std::printf("%s\n", command.c_str());
}

void run_on_text(const TuneCommand& options, const CommonOptions& common, const Work& work) {
  const Goal goal = parse_goal(options);
  tune_options(options, goal.target);  // a bad flag is told before a model is loaded
  const auto model = open_model_named(options.model, options.prune_weights, work);
  const auto tokenizer = make_tokenizer(*model);
  const auto halves =
      halves_of(text_items(options.text, *model, *tokenizer, options.cut, 0), options.limit);
  const std::int64_t n = std::max(halves[0].longest(), halves[1].longest());
  PrefixRun run(cpu_engines(model, {n, n}, work), PrefixRun::Settings{}, options.dtype);
  TextGround first(run, halves[0]), second(run, halves[1]);
  tune_on(options, common, goal, {first, &second, &halves[0]}, work);
}

void run_on_capture(const TuneCommand& options, const CommonOptions& common, const Work& work) {
  Goal goal = parse_goal(options);
  tune_options(options, goal.target);
  CaptureGround first(open_capture(options.capture, work), options.compared, work);
  std::optional<CaptureGround> second;
  if (!options.check.empty()) {
    second.emplace(open_capture(options.check, work), options.compared, work);
  }
  const bool compares = first.compares_outputs() && (!second || second->compares_outputs());
  if (goal.name == "output_error" && !compares) {
    refuse_input({.file = first.compares_outputs() ? options.check : options.capture,
                  .what = "has no attention rows to compare outputs in",
                  .cure = "capture queries and attention, and give --rows"});
  }
  if (!compares) goal.loss_name = "quantization_error";
  tune_on(options, common, goal, {first, second ? &*second : nullptr, nullptr}, work);
}

void run(const TuneCommand& options, const CommonOptions& common) {
  require_device(common.device);
  if (options.on_text() == !options.capture.empty() || options.on_text() == options.model.empty()) {
    refuse_usage({.place = "qaq tune",
                  .what = "takes a model with a text, or a capture",
                  .cure = "write qaq tune --model M --text F or qaq tune CAPTURE.h5"});
  }
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  if (options.on_text()) {
    run_on_text(options, common, work);
  } else {
    run_on_capture(options, common, work);
  }
}

void add_ground_flags(CLI::App& command, TuneCommand& options) {
  const auto count = CLI::Range(std::int64_t{1}, std::int64_t{1} << 40);
  const auto count_or_none = CLI::Range(std::int64_t{0}, std::int64_t{1} << 40);
  auto* capture = command.add_option("capture", options.capture, "A capture, to tune on alone");
  auto* text = command
                   .add_option("--text", options.text,
                               "A UTF-8 text: its first half tunes, its second checks")
                   ->excludes(capture);
  command.add_option("--model", options.model, "Model: a known name, a file or a folder")
      ->needs(text);
  add_prune_flag(command, options.prune_weights)->needs(text);
  command.add_option("--window", options.cut.window, "The text's windows; default 512 tokens")
      ->check(count)
      ->needs(text);
  command
      .add_option("--stride", options.cut.stride,
                  "Tokens from window to window, scored in each; default half a window")
      ->check(count)
      ->needs(text);
  command.add_option("--limit", options.limit, "The first N windows of each half alone; 0: all")
      ->check(count_or_none)
      ->needs(text)
      ->capture_default_str();
  add_dtype_flag(command, options.dtype, kCacheDtypeHelp);
  command.get_option("--dtype")->needs(text);
  command.add_option("--check", options.check, "Another capture, to check the setting on")
      ->needs(capture);
  command.add_option("--prefix", options.compared.prefix, "Tokens of captures to quantize; 0: all")
      ->check(count_or_none)
      ->needs(capture)
      ->capture_default_str();
  command
      .add_option("--rows", options.compared.n_rows,
                  "Newest attention rows of captures that outputs are compared in; 0: none")
      ->check(count_or_none)
      ->needs(capture)
      ->capture_default_str();
}

}  // namespace

void add_tune(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<TuneCommand>();
  CLI::App* command = program.add_subcommand(
      "tune", "Find the cheapest setting that meets a loss, or the best of a compression");
  add_ground_flags(*command, *options);
  command
      ->add_option("--target", options->target,
                   "The largest mean KL (kl), the least share of equal top tokens (same_top), the "
                   "least packed compression (ratio_packed); of a capture ratio_packed or the "
                   "largest output_error")
      ->type_name("NAME=VALUE")
      ->required();
  add_qaq_policy_flag(*command, "qaq tune");
  command->add_option("--preset", options->preset,
                      "What stays fixed, but the error target: a bundled preset or a JSON file");
  command
      ->add_option("--set", options->assignments, "What stays fixed, NAME=VALUE; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--steps", options->n_steps, "Halvings of the error target at most")
      ->check(CLI::Range(0, 30))
      ->capture_default_str();
  std::string searched;
  for (const GridAxis& axis : tune_grid({}).axes) {
    std::string values;
    for (const ParameterValue& value : axis.values) values += " " + value_text(value);
    searched += cat("  ", axis.name, ":", values, "\n");
  }
  command->footer(cat(
      "Looks for target_quantization_error from ", number_text(kTuneFirstError), " to ",
      number_text(kTuneLastError),
      " by bisection, and for the rest in this grid, but for what\n"
      "--set and --preset fix:\n",
      searched,
      "A loss as target gives the largest ratio_packed, ratio_packed the least kl or "
      "output_error.\n"
      "Prints the command that uses the setting, and its figures on what it was tuned on and on\n"
      "what it was not.\n"
      "Examples:\n"
      "  qaq tune --model smollm2-135m --text book.txt --target kl=0.01\n"
      "  qaq tune --model smollm2-135m --text book.txt --target same_top=0.99 --set level=head\n"
      "  qaq tune story.h5 --check code.h5 --target ratio_packed=6"));
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
