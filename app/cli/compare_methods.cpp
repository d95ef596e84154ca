#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/dtype_flag.h"
#include "app/cli/experiment_figure.h"
#include "app/cli/experiment_report.h"
#include "app/cli/method_subject.h"
#include "app/cli/printable.h"
#include "core/analysis/table_text.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/evaluate/budget_fit.h"
#include "data/files/whole_file.h"

namespace qaq::cli {
namespace {

constexpr std::string_view kName = "compare-methods";

struct CompareMethodsCommand {
  std::string capture;
  MethodTask task;
  std::vector<std::string> budgets{"4", "6", "8"};
  std::vector<std::string> methods;
  SweepOptions compared;
  std::string output = "methods";
  bool figure = true;

  bool on_task() const { return !task.task.empty(); }
};

std::vector<double> parse_budgets(const std::vector<std::string>& texts) {
  std::vector<double> out;
  for (const std::string& text : texts) {
    double budget = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), budget);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (!whole || !std::isfinite(budget) || budget < 1) {
      refuse_usage({.place = "--budget",
                    .what = cat("'", printable(text), "' is no packed ratio"),
                    .cure = "give numbers from 1 on, as in 4,6,8"});
    }
    if (std::ranges::find(out, budget) != out.end()) {
      refuse_usage({.place = "--budget",
                    .what = cat("has ", number_text(budget), " twice"),
                    .cure = "give each once"});
    }
    out.push_back(budget);
  }
  return out;
}

// All, or those that are named, in the registry's order.
std::vector<ComparedMethod> chosen_methods(const std::vector<std::string>& names) {
  std::vector<ComparedMethod> all = compared_methods();
  if (names.empty()) return all;
  std::vector<std::string> known;
  for (const ComparedMethod& each : all) known.push_back(each.name);
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const auto nearest = nearest_name(name, known);
    refuse_usage({.place = "--methods",
                  .what = cat("'", printable(name), "' is no method to compare"),
                  .cure = nearest ? cat("did you mean ", *nearest, "?")
                                  : cat("see qaq ", kName, " --help for their names")});
  }
  std::erase_if(all, [&](const ComparedMethod& each) {
    return std::ranges::find(names, each.name) == names.end();
  });
  return all;
}

// Its tables and texts go through what writes experiments.
Experiment as_experiment(RunMode mode) {
  return {.name = kName,
          .title = "Every method at the same packed bytes",
          .paper = "",
          .needs = ExperimentNeeds::text,
          .mode = mode};
}

nlohmann::ordered_json document_of(const MethodAnswer& answer) {
  auto document = experiment_json(as_experiment(answer.mode), answer.subject, answer.result);
  document["tolerance"] = kBudgetTolerance;
  return document;
}

// One file where -o names one: the main table, or the document.
bool write_one_file(const std::string& path, const MethodAnswer& answer) {
  const std::string kind = std::filesystem::path(path).extension().string();
  std::ostringstream text;
  if (kind == ".csv") {
    write_csv(answer.result.tables.front().table, text);
  } else if (kind == ".md") {
    text << experiment_page(as_experiment(answer.mode), answer.subject, answer.result, "");
  } else if (kind == ".json") {
    nlohmann::ordered_json document{{"schema_version", 1}};
    document.update(document_of(answer));
    text << document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  } else {
    return false;
  }
  write_whole(path, text.str());
  return true;
}

std::vector<std::string> written(const CompareMethodsCommand& options, const MethodAnswer& answer,
                                 ConsoleProgress& progress, const Work& work) {
  if (write_one_file(options.output, answer)) return {options.output};
  return write_experiment(options.output, as_experiment(answer.mode), answer.subject, answer.result,
                          [&](const std::string& document, const std::string& picture) {
                            return options.figure &&
                                   draw_experiment(document, picture, progress, work);
                          })
      .paths;
}

void print_answer(const MethodAnswer& answer, const std::vector<std::string>& paths) {
  std::ostringstream table;
  write_markdown(answer.result.tables.front().table, table);
  std::printf("%s\n", table.str().c_str());
  for (const std::string& remark : answer.result.remarks) std::printf("%s\n", remark.c_str());
  for (const std::string& path : paths) std::printf("%s\n", printable(path).c_str());
}

void run(const CompareMethodsCommand& options, const CommonOptions& common) {
  require_device(common.device);
  if (options.on_task() == !options.capture.empty() ||
      options.on_task() == options.task.model.empty()) {
    refuse_usage({.place = cat("qaq ", kName),
                  .what = "takes a capture, or a model with a task",
                  .cure = cat("write qaq ", kName, " CAPTURE.h5 or qaq ", kName,
                              " --model M --task F.jsonl")});
  }
  const MethodQuestion question{chosen_methods(options.methods), parse_budgets(options.budgets)};
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  const MethodAnswer answer =
      options.on_task() ? methods_on_task(question, options.task, work)
                        : methods_on_capture(question, options.capture, options.compared, work);
  const auto paths = written(options, answer, progress, work);
  if (common.json) {
    auto document = document_of(answer);
    document["files"] = paths;
    print_json(document);
    return;
  }
  print_answer(answer, paths);
}

std::string methods_help() {
  std::string out = "Methods, and what of each is free:\n";
  for (const ComparedMethod& method : compared_methods()) {
    std::string free;
    const auto add = [&](const std::string& name) { free += (free.empty() ? "" : ", ") + name; };
    if (method.budget.range) std::ranges::for_each(method.budget.range->names, add);
    for (const BudgetChoice& choice : method.budget.choices) add(choice.name);
    out += cat("  ", method.name, ": ", free.empty() ? "nothing" : free, "\n");
  }
  return out;
}

void add_flags(CLI::App& command, CompareMethodsCommand& options) {
  const auto count_or_none = CLI::Range(std::int64_t{0}, std::int64_t{1} << 40);
  auto* capture = command.add_option("capture", options.capture, "A capture, to compare on alone");
  auto* task = command
                   .add_option("--task", options.task.task,
                               "Questions: our JSONL, or a file of HellaSwag, PIQA or MathQA")
                   ->excludes(capture);
  command.add_option("--model", options.task.model, "Model: a known name, a file or a folder")
      ->needs(task);
  command
      .add_option("--budget", options.budgets,
                  "Packed ratios (2 bytes a value over stored bytes) that all methods are brought "
                  "to")
      ->delimiter(',')
      ->type_name("R,R,...")
      ->capture_default_str();
  command.add_option("--methods", options.methods, "Only these, as in qaq,kivi; default: all")
      ->delimiter(',')
      ->type_name("NAME,...");
  command
      .add_option("--prefix", options.compared.prefix,
                  "Tokens of the capture to quantize; 0: all but the compared rows")
      ->check(count_or_none)
      ->needs(capture)
      ->capture_default_str();
  command
      .add_option("--rows", options.compared.n_rows,
                  "Newest attention rows that scores and outputs are compared in")
      ->check(count_or_none)
      ->needs(capture)
      ->capture_default_str();
  command.add_option("--limit", options.task.limit, "The first N questions; 0: all")
      ->check(count_or_none)
      ->needs(task)
      ->capture_default_str();
  command
      .add_option("--seed", options.task.seed,
                  "Draw the questions, as Python's random.sample does (the authors: 42)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{4294967295}))
      ->needs(task);
  command
      .add_option("--minutes", options.task.minutes,
                  "How long answering may take: as many questions run as fit")
      ->check(CLI::Range(1e-6, 1e6))
      ->needs(task)
      ->capture_default_str();
  add_dtype_flag(command, options.task.dtype, kCacheDtypeHelp);
  command.get_option("--dtype")->needs(task);
  command
      .add_option("-o,--output", options.output,
                  "Folder for the tables as CSV, the page NAME.md, NAME.json and NAME.png; or one "
                  "file, TABLE.md, .csv or .json")
      ->capture_default_str();
  command.add_flag("!--no-figure", options.figure, "Draw no NAME.png (qaq-scope draws it)");
}

}  // namespace

void add_compare_methods(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<CompareMethodsCommand>();
  CLI::App* command = program.add_subcommand(
      std::string(kName), "QAQ and its rivals at the same packed bytes, in one table");
  add_flags(*command, *options);
  command->footer(cat(
      "Brings each method to each budget within ", number_text(100 * kBudgetTolerance),
      " % of the packed bytes, or says that it cannot and how\n"
      "near it came. Of settings that meet a budget the one is taken that loses least on the\n"
      "captured caches, by the same rule for all. Scales are stored as f16.\n",
      methods_help(),
      "A capture alone gives attention and output error, bytes by component and times; a model\n"
      "with a task KL, same top token and accuracy with paired intervals, too.\n"
      "Examples:\n"
      "  qaq compare-methods story.h5\n"
      "  qaq compare-methods story.h5 --budget 3,4,5 --methods qaq,kivi -o table.csv\n"
      "  qaq compare-methods --model smollm2-135m --task piqa.jsonl --budget 4,6,8 -o methods"));
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
