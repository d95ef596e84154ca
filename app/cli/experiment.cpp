#include "core/analysis/experiment.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/dtype_flag.h"
#include "app/cli/evaluation_items.h"
#include "app/cli/experiment_figure.h"
#include "app/cli/experiment_report.h"
#include "app/cli/printable.h"
#include "app/wiring/inputs.h"
#include "core/analysis/seeded_experiment.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/engine/backend.h"

namespace qaq::cli {
namespace {

struct ExperimentCommand {
  std::string name, model, task, text;
  double minutes = 10;
  std::int64_t limit = 0;
  std::vector<std::uint32_t> seeds;
  std::int32_t layer = 1, head = 8;
  DType dtype = ExperimentContext{}.dtype;
  std::string output = "experiments";
  bool figure = true;
};

const char* needs_text(const Experiment& experiment) {
  return experiment.needs == ExperimentNeeds::questions ? "--task" : "--task or --text";
}

void list_experiments(const CommonOptions& common) {
  if (common.json) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const Experiment& each : experiments()) {
      all.push_back({{"name", each.name},
                     {"title", each.title},
                     {"needs", needs_text(each)},
                     {"paper", each.paper}});
    }
    print_json({{"experiments", std::move(all)}});
    return;
  }
  for (const Experiment& each : experiments()) {
    std::printf("%-15s needs %-17s %s\n", std::string(each.name).c_str(), needs_text(each),
                std::string(each.title).c_str());
  }
}

const Experiment& experiment_named(const std::string& name) {
  const auto all = experiments();
  const auto found = std::ranges::find(all, name, &Experiment::name);
  if (found != all.end()) return *found;
  std::vector<std::string> names;
  for (const Experiment& each : all) names.emplace_back(each.name);
  const auto nearest = nearest_name(name, names);
  refuse_usage(
      {.place = name,
       .what = "is no experiment",
       .cure = nearest ? cat("did you mean ", *nearest, "?") : "qaq experiment list names them"});
}

void check_usage(const Experiment& experiment, const ExperimentCommand& options) {
  if (options.model.empty()) {
    refuse_usage({.place = "--model", .what = "is missing", .cure = "name a model or a file"});
  }
  if (options.task.empty() == options.text.empty() ||
      (experiment.needs == ExperimentNeeds::questions && options.task.empty())) {
    refuse_usage({.place = std::string(experiment.name),
                  .what = cat("needs ", needs_text(experiment)),
                  .cure = "give one of them"});
  }
  if (!options.seeds.empty() && !experiment.scores_questions) {
    refuse_usage({.place = "--seeds",
                  .what = cat(experiment.name, " asks no questions"),
                  .cure = "leave it out"});
  }
  const std::set<std::uint32_t> different(options.seeds.begin(), options.seeds.end());
  if (different.size() < options.seeds.size()) {
    refuse_usage({.place = "--seeds", .what = "has a seed twice", .cure = "give each once"});
  }
}

// Questions with their right choices, one behind the other: a text where none was given.
void append_answered(const ChoiceQuestion& question, std::vector<std::int32_t>& text) {
  const auto& ids = question.choices[static_cast<std::size_t>(question.answer)];
  text.insert(text.end(), ids.begin(), ids.end());
}

ExperimentContext context_of(const ExperimentCommand& options, const EvaluationItems& items,
                             const std::shared_ptr<const ModelFile>& model, const Work& work) {
  ExperimentContext out;
  out.open = [model, stop = work.stop_token()](std::int64_t n) {
    return make_cpu_backend()->open(model, {n, n}, Work(nullptr, stop));
  };
  out.text = items.text;
  out.n_first = std::ssize(items.text);
  if (!options.task.empty()) {
    out.task_name = items.name;
    out.questions = items.questions;
    for (const ChoiceQuestion& question : items.questions) append_answered(question, out.text);
    std::vector<std::int32_t> first;
    append_answered(items.questions.front(), first);
    out.n_first = std::ssize(first);
  }
  out.context_length = model->spec().shape.context_length;
  out.layer = options.layer;
  out.head = options.head;
  out.dtype = options.dtype;
  out.seconds = options.minutes * 60;
  out.work = work;
  return out;
}

// Runs the experiment, on several draws of questions where seeds are given, and says on what.
ExperimentResult made(const Experiment& experiment, const ExperimentCommand& options,
                      const std::shared_ptr<const ModelFile>& model, ExperimentSubject& subject,
                      const Work& work) {
  const auto tokenizer = make_tokenizer(*model);
  const auto context_for = [&](std::optional<std::uint32_t> seed) {
    const EvaluationItems items =
        options.task.empty() ? text_items(options.text, *model, *tokenizer, {}, 0)
                             : task_items(options.task, *model, *tokenizer, {options.limit, seed});
    subject.items = printable(items.name);
    subject.too_long = items.too_long;
    return context_of(options, items, model, work);
  };
  if (options.seeds.empty()) return experiment.run(context_for({}));
  std::vector<SeededContext> draws;
  for (const std::uint32_t seed : options.seeds) draws.push_back({seed, context_for(seed)});
  return run_seeds(experiment, draws);
}

void run(const ExperimentCommand& options, const CommonOptions& common) {
  require_device(common.device);
  if (options.name == "list") {
    list_experiments(common);
    return;
  }
  const Experiment& experiment = experiment_named(options.name);
  check_usage(experiment, options);
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  const auto model = open_model_named(options.model);
  ExperimentSubject subject;
  subject.model = printable(model->spec().name);
  subject.dtype = options.dtype;
  const ExperimentResult result = made(experiment, options, model, subject, work);
  const auto written = write_experiment(
      options.output, experiment, subject, result,
      [&](const std::string& document, const std::string& picture) {
        return options.figure && draw_experiment(document, picture, progress, work);
      });
  if (common.json) {
    auto document = experiment_json(experiment, subject, result);
    document["files"] = written.paths;
    print_json(document);
    return;
  }
  std::printf("%s\n", written.page.c_str());
  for (const std::string& path : written.paths) std::printf("%s\n", printable(path).c_str());
}

}  // namespace

void add_experiment(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<ExperimentCommand>();
  CLI::App* command = program.add_subcommand(
      "experiment", "Make a figure or table of the paper again, with its numbers beside ours");
  command->add_option("name", options->name, "Which one; list: all, with what they need")
      ->required();
  command->add_option("--model", options->model, "Model: a known name, a file or a folder");
  auto* task = command->add_option("--task", options->task,
                                   "Questions: our JSONL, or a file of HellaSwag, PIQA or MathQA");
  command->add_option("--text", options->text, "A UTF-8 text, where no questions are asked")
      ->excludes(task);
  command
      ->add_option("--minutes", options->minutes,
                   "How long it may take: the first items are timed, and as many run as fit")
      ->check(CLI::Range(1e-6, 1e6))
      ->capture_default_str();
  command->add_option("--limit", options->limit, "The first N questions at most")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->needs(task);
  command
      ->add_option("--seeds", options->seeds,
                   "Draw the questions with each of these seeds, as Python's random.sample does "
                   "(the authors: 42), and share the minutes between them; default: the file's "
                   "first")
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{4294967295}))
      ->type_name("N,N,...")
      ->needs(task);
  command->add_option("--layer", options->layer, "fig2b: layer whose attention is shown")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command->add_option("--head", options->head, "fig2b: query head whose attention is shown")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  add_dtype_flag(*command, options->dtype, kCacheDtypeHelp);
  command
      ->add_option("-o,--output", options->output,
                   "Folder for NAME.csv, NAME.json, NAME.png and the page NAME.md")
      ->capture_default_str();
  command->add_flag("!--no-figure", options->figure, "Draw no NAME.png (qaq-scope draws it)");
  command->footer(
      "Examples:\n"
      "  qaq experiment list\n"
      "  qaq experiment fig2a --model smollm2-135m --task hellaswag.jsonl\n"
      "  qaq experiment fig4 --model smollm2-135m --task piqa.jsonl --minutes 3 -o results\n"
      "  qaq experiment fig4 --model smollm2-135m --task piqa.jsonl --limit 20 --seeds 42,43,44");
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
