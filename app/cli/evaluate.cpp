#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/evaluate_options.h"
#include "app/cli/evaluation_items.h"
#include "app/cli/evaluation_report.h"
#include "app/cli/item_log.h"
#include "app/cli/item_runs.h"
#include "app/cli/printable.h"
#include "app/cli/prompt_flags.h"
#include "app/wiring/cpu_engines.h"
#include "app/wiring/inputs.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/evaluate/prefix_run.h"
#include "core/evaluate/summary_json.h"
#include "core/policy/policies.h"
#include "core/replay/run_mode.h"
#include "data/results/results_file.h"

namespace qaq::cli {
namespace {

PrefixRun::Settings policies_of(std::span<const EvaluatedSetting> settings) {
  PrefixRun::Settings out;
  for (const EvaluatedSetting& setting : settings) out.push_back(setting.policy);
  return out;
}

// What tells a setting from every other: of a rival its name, too.
nlohmann::ordered_json setting_json(const EvaluatedSetting& setting) {
  auto out = parameters_json(setting.policy->parameters());
  if (!is_qaq(*setting.policy)) out["policy"] = setting.policy->name();
  return out;
}

// Everything that the items of an evaluation depend on.
nlohmann::ordered_json made_with(const EvaluateCommand& options, const ModelFile& model,
                                 const EvaluationItems& items,
                                 std::span<const EvaluatedSetting> settings) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const EvaluatedSetting& setting : settings) {
    all.push_back(setting_json(setting));
  }
  nlohmann::ordered_json out{
      {"program_version", program_version()},
      {"model_sha256", model.sha256()},
      {"items_sha256", sha256_of_file(options.task.empty() ? options.text : options.task)},
      {"dtype", name_of(options.dtype)},
      {"settings", std::move(all)}};
  if (items.is_task()) {
    out["choice"] = parameters_json(list_parameters(options.choice));
    if (options.seed) out["seed"] = *options.seed;
  } else {
    out["window"] = items.window;
    out["stride"] = items.stride;
  }
  return out;
}

// Says what is kept, where main would say that nothing is.
[[noreturn]] void end_interrupted(const std::optional<ItemLog>& log, std::size_t n_items) {
  if (!log) {
    throw Error(ErrorKind::interrupted,
                {.what = cat("interrupted after ", n_items, " items; nothing was kept"),
                 .cure = "with --resume FILE finished items are"});
  }
  throw Error(ErrorKind::interrupted, {.file = log->path(),
                                       .what = cat("interrupted; ", n_items, " items are kept"),
                                       .cure = "run the same command again to go on"});
}

std::vector<ItemResult> finished_items(const EvaluateCommand& options, const EvaluationItems& items,
                                       const std::function<PrefixRun&()>& open,
                                       std::optional<ItemLog>& log, const Work& work) {
  std::vector<ItemResult> out;
  try {
    run_items(items, options.choice, {log ? &*log : nullptr, open}, out, work);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) end_interrupted(log, out.size());
    throw;
  }
  return out;
}

// A setting's figures as a run of a results file. Its hash is of all that they depend on.
ResultRecord record_of(const EvaluateCommand& options, const ModelFile& model,
                       const EvaluationItems& items, const EvaluatedSetting& setting) {
  const nlohmann::ordered_json metrics = summary_json(setting.summary);
  auto subject = made_with(options, model, items, {&setting, 1});
  subject["n_items"] = items.size();
  ResultRecord record;
  record.params = authors_params(*setting.policy, {model.spec().name, items.name, items.size()});
  record.results = authors_results(metrics);
  record.qaq_scope = {{"hash", sha256_hex(subject.dump()).substr(0, 32)},
                      {items.is_task() ? "task" : "text", items.name},
                      {"mode", name_of(RunMode::in_the_model)},
                      {"dtype", name_of(options.dtype)},
                      {"policy", setting.policy->name()},
                      {"parameters", parameters_json(setting.policy->parameters())},
                      {"metrics", metrics}};
  return record;
}

nlohmann::ordered_json head_json(const EvaluateCommand& options, const ModelFile& model) {
  return {{"model", model.spec().name},
          {"prune_weights", options.prune_weights},
          {"mode", name_of(RunMode::in_the_model)},
          {"dtype", name_of(options.dtype)},
          {"policy", options.policy}};
}

// `replay` is what planning and quantizing took; items that were resumed bring the time that they
// took then.
nlohmann::ordered_json timing_json(double load, const RunSeconds& reference,
                                   const SettingSummary& setting, double total) {
  return {{"load", load},
          {"prefill", reference.prefix},
          {"replay", setting.seconds.quantizing},
          {"total", total}};
}

// What was gone through, and what was not.
nlohmann::ordered_json items_json(const EvaluateCommand& options, const EvaluationItems& items,
                                  std::int64_t n_mismatches) {
  if (items.is_task()) {
    return {{"task", items.name},
            {"n_questions", items.size()},
            {"seed", options.seed ? nlohmann::ordered_json(*options.seed) : nullptr},
            {"too_long", items.too_long},
            {"boundary_mismatch", n_mismatches},
            {"choice", parameters_json(list_parameters(options.choice))}};
  }
  return {{"text", items.name},     {"n_tokens", items.text.size()}, {"n_windows", items.size()},
          {"window", items.window}, {"stride", items.stride},        {"prefix", items.n_prefix}};
}

void print_items(const EvaluateCommand& options, const EvaluationItems& items,
                 const ModelFile& model, std::int64_t n_mismatches) {
  if (items.is_task()) {
    std::printf(
        "%s: %lld questions%s, in the model, no beginning token; first token from the %s cache, "
        "scores per "
        "%s\n",
        printable(items.name).c_str(), static_cast<long long>(items.size()),
        options.seed ? cat(", drawn with seed ", *options.seed).c_str() : "",
        options.choice.first_token == FirstToken::full ? "whole" : "quantized",
        options.choice.length_norm == LengthNorm::tokens  ? "token"
        : options.choice.length_norm == LengthNorm::bytes ? "byte"
                                                          : "choice");
    if (!items.too_long.empty()) {
      std::string names;
      for (const std::string& id : items.too_long) {
        names += (names.empty() ? "" : ", ") + printable(id);
      }
      std::printf("  left out, longer than the model's context of %lld tokens: %zu (%s)\n",
                  static_cast<long long>(model.spec().shape.context_length), items.too_long.size(),
                  names.c_str());
    }
    if (n_mismatches > 0) {
      std::printf("  questions whose tokens a choice changes: %lld\n",
                  static_cast<long long>(n_mismatches));
    }
  } else {
    std::printf(
        "%s: %zu tokens, in the model; %lld windows of %lld tokens, stride %lld: the first %lld of "
        "each "
        "are quantized, the others scored\n",
        printable(items.name).c_str(), items.text.size(), static_cast<long long>(items.size()),
        static_cast<long long>(items.window), static_cast<long long>(items.stride),
        static_cast<long long>(items.n_prefix));
  }
}

void evaluate_items(const EvaluateCommand& options, const CommonOptions& common, const Work& work) {
  const Stopwatch total;
  std::vector<EvaluatedSetting> settings = settings_of(options);
  const auto model = open_model_named(options.model, options.prune_weights, work);
  const auto tokenizer = make_tokenizer(*model);
  const EvaluationItems items =
      options.task.empty()
          ? text_items(options.text, *model, *tokenizer, options.cut, options.limit)
          : task_items(options.task, *model, *tokenizer, {options.limit, options.seed});
  std::optional<ItemLog> log;
  if (!options.resume.empty()) {
    log.emplace(options.resume, made_with(options, *model, items, settings));
  }
  std::optional<ResultsWriter> results;
  if (!options.output.empty()) results.emplace(options.output);
  double load = 0;
  std::optional<PrefixRun> run;
  const auto open = [&]() -> PrefixRun& {
    const std::int64_t n = items.longest();
    run.emplace(cpu_engines(model, {n, n}, work), policies_of(settings), options.dtype);
    load = total.seconds();
    return *run;
  };

  Evaluation evaluation;
  evaluation.items = finished_items(options, items, open, log, work);
  evaluation.reference = reference_accuracy(evaluation.items);
  evaluation.reference_seconds = reference_seconds(evaluation.items);
  std::vector<ResultRecord> records;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    settings[i].summary = summarize(evaluation.items, i);
    records.push_back(record_of(options, *model, items, settings[i]));
  }
  evaluation.settings = std::move(settings);
  if (results) results->write(records);

  const auto n_mismatches = std::ranges::count_if(
      evaluation.items, [](const ItemResult& item) { return item.boundary_mismatch; });
  if (common.json) {
    auto document = head_json(options, *model);
    document.update(items_json(options, items, n_mismatches));
    document.update(evaluation_json(evaluation));
    document["timing"] = timing_json(load, evaluation.reference_seconds,
                                     evaluation.settings.front().summary, total.seconds());
    print_json(document);
    return;
  }
  print_items(options, items, *model, n_mismatches);
  print_evaluation(evaluation);
}

void evaluate_generation(const EvaluateCommand& options, const CommonOptions& common,
                         const Work& work) {
  const Stopwatch total;
  for (const auto& [flag, given] :
       {std::pair{"--resume", !options.resume.empty()}, std::pair{"-o", !options.output.empty()}}) {
    if (given) {
      refuse_usage({.place = flag,
                    .what = "goes with --task and --text",
                    .cure = "leave it out with a prompt; --json has the numbers"});
    }
  }
  std::vector<EvaluatedSetting> settings = settings_of(options);
  const auto model = open_model_named(options.model, options.prune_weights, work);
  const auto tokenizer = make_tokenizer(*model);
  const Prompt prompt = read_prompt(options.prompt, *model, *tokenizer, options.n_generate);
  print_warning(prompt);
  const std::int64_t n_prompt = std::ssize(prompt.ids);
  PrefixRun run(cpu_engines(model, {n_prompt + options.n_generate, n_prompt}, work),
                policies_of(settings), options.dtype);
  GenerationCall call{
      prompt.ids, options.cut.prefix == 0 ? n_prompt : options.cut.prefix, options.n_generate, {}};
  if (!options.ignore_eos) call.end_ids = model->spec().end_token_ids;
  const double load = total.seconds();
  const DivergenceResult result = generate_divergence(run, call, work);
  for (std::size_t i = 0; i < settings.size(); ++i) {
    settings[i].summary = summarize({&result.along, 1}, i);
  }
  if (common.json) {
    auto document = head_json(options, *model);
    document["prompt"] = prompt.text;
    document["prompt_tokens"] = n_prompt;
    document["generated_tokens"] = result.reference.size();
    document["prefix"] = call.n_prefix;
    document.update(divergence_json(result, settings, *tokenizer));
    document["timing"] =
        timing_json(load, result.along.seconds, settings.front().summary, total.seconds());
    print_json(document);
    return;
  }
  std::printf("%lld prompt tokens, the first %lld quantized; in the model, greedy\n",
              static_cast<long long>(n_prompt), static_cast<long long>(call.n_prefix));
  print_divergence(result, settings, *tokenizer);
}

void run(const EvaluateCommand& options, const CommonOptions& common) {
  require_device(common.device);
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  if (options.task.empty() && options.text.empty()) {
    evaluate_generation(options, common, work);
  } else {
    evaluate_items(options, common, work);
  }
}

}  // namespace

void add_evaluate(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<EvaluateCommand>();
  CLI::App* command = program.add_subcommand(
      "evaluate", "Run a model on its quantized cache: accuracy, perplexity, KL, parting texts");
  add_evaluate_flags(*command, *options);
  command->footer(
      "Policies and their parameters, which --set takes: see qaq replay --help.\n"
      "Examples:\n"
      "  qaq evaluate --model smollm2-135m --task piqa.jsonl --preset paper --limit 200\n"
      "  qaq evaluate --model smollm2-135m --task valid.jsonl --set target_quantization_error=3 "
      "--against-set value.last_n_attentions=1 --resume items.jsonl -o results.json\n"
      "  qaq evaluate --model smollm2-135m --text book.txt --policy q4_0 --against-policy kivi "
      "--against-set k_bits=4\n"
      "  qaq evaluate --model smollm2-135m --text book.txt --window 1024 --stride 512\n"
      "  qaq evaluate --model smollm2-135m --text story.txt --prefix 64 --json\n"
      "  qaq evaluate --model smollm2-135m --chat --prompt \"Summarize: ...\" --generate 100");
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
