#include "app/cli/evaluate_options.h"

#include <algorithm>

#include "app/cli/dtype_flag.h"
#include "app/cli/prune_flag.h"
#include "app/cli/replay_flags.h"
#include "core/analysis/scope_params.h"
#include "core/base/parameters.h"

namespace qaq::cli {
namespace {

void add_item_flags(CLI::App& command, EvaluateCommand& options) {
  const auto count = CLI::Range(std::int64_t{1}, std::int64_t{1} << 40);
  auto* what = command.add_option_group("what to judge by");
  auto* task = what->add_option("--task", options.task,
                                "Questions: our JSONL, or a file of HellaSwag, PIQA or MathQA");
  auto* text = what->add_option("--text", options.text, "A UTF-8 text, for perplexity and KL");
  auto* prompt = what->add_option("--prompt", options.prompt.text,
                                  "A prompt: where does the greedy text part?");
  auto* file = what->add_option("--prompt-file", options.prompt.file, "A file with the prompt");
  what->require_option(1);
  command.add_option("--limit", options.limit, "The first N questions or windows alone")
      ->check(count)
      ->excludes(prompt)
      ->excludes(file);
  add_question_seed_flag(command, options.seed)->excludes(text)->excludes(prompt)->excludes(file);
  auto* prefix = command
                     .add_option("--prefix", options.cut.prefix,
                                 "Quantize the first P tokens once; a text: score the rest in "
                                 "one window; a prompt: default all of it")
                     ->check(count)
                     ->excludes(task);
  command.add_option("--window", options.cut.window, "A text's windows; default 512 tokens")
      ->check(count)
      ->needs(text)
      ->excludes(prefix);
  command
      .add_option("--stride", options.cut.stride,
                  "Tokens from window to window, scored in each; default half a window")
      ->check(count)
      ->needs(text)
      ->excludes(prefix);
  command.add_option("--generate", options.n_generate, "Tokens to generate behind a prompt")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24))
      ->excludes(task)
      ->excludes(text)
      ->capture_default_str();
  command.add_flag("--ignore-eos", options.ignore_eos, "Go on behind end tokens")
      ->excludes(task)
      ->excludes(text);
  command
      .add_flag("--chat", options.prompt.chat,
                "The prompt is a message: set it into the model's chat template")
      ->excludes(task)
      ->excludes(text);
  for (CLI::Option* flag : add_choice_flags(command, options.choice)) {
    flag->excludes(text)->excludes(prompt)->excludes(file);
  }
}

void add_setting_flags(CLI::App& command, EvaluateCommand& options) {
  const auto assignments = [&](const char* flag, std::vector<std::string>& into, const char* help) {
    command.add_option(flag, into, help)
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  command
      .add_option("--policy", options.policy,
                  "What decides the bits and what is evicted; two of them as in qaq+h2o")
      ->type_name("NAME[+NAME]")
      ->capture_default_str();
  command.add_option("--preset", options.preset,
                     "Parameters from a bundled preset or a JSON file: paper, bound, FILE");
  assignments("--set", options.assignments, "One parameter, NAME=VALUE; may be repeated");
  command
      .add_option("--against", options.against,
                  "A second setting on the same items, with a paired test: a preset; none: the "
                  "whole cache alone")
      ->capture_default_str();
  command
      .add_option("--against-policy", options.against_policy,
                  "The second setting's policy, with its defaults and what --against-set says")
      ->type_name("NAME[+NAME]");
  assignments("--against-set", options.against_assignments,
              "One parameter of the second setting, on top of --against, --against-policy or else "
              "of the first");
}

}  // namespace

CLI::Option* add_question_seed_flag(CLI::App& command, std::optional<std::uint32_t>& seed) {
  return command
      .add_option("--seed", seed,
                  "Draw the questions as Python's random.sample does with this seed (the authors: "
                  "42); default: the file's first")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{4294967295}))
      ->type_name("N");
}

std::vector<CLI::Option*> add_choice_flags(CLI::App& command, ChoiceOptions& options) {
  std::vector<CLI::Option*> out;
  for (const Parameter& parameter : list_parameters(options)) {
    std::string flag = "--" + parameter.name;
    std::ranges::replace(flag, '_', '-');
    out.push_back(command
                      .add_option_function<std::string>(
                          flag,
                          [&options, name = parameter.name](const std::string& word) {
                            set_parameter(options, name, word);
                          },
                          std::string(parameter.info.help))
                      ->check(CLI::IsMember(parameter.choices))
                      ->default_str(value_text(parameter.value)));
  }
  return out;
}

void add_evaluate_flags(CLI::App& command, EvaluateCommand& options) {
  command.add_option("--model", options.model, "Model: a known name, a file or a folder")
      ->required();
  add_prune_flag(command, options.prune_weights);
  add_item_flags(command, options);
  add_setting_flags(command, options);
  add_dtype_flag(command, options.dtype, kCacheDtypeHelp);
  command.add_option("--resume", options.resume,
                     "Keep finished items in this JSONL file, and go on behind its last");
  command.add_option("-o,--output", options.output, "Write the authors' results JSON");
}

std::vector<EvaluatedSetting> settings_of(const EvaluateCommand& options) {
  ReplayFlags flags{
      .policy = options.policy, .preset = options.preset, .assignments = options.assignments};
  std::vector<EvaluatedSetting> out{{"setting", flags.cache_policy(), {}}};
  const bool has_preset = options.against != "none", has_policy = !options.against_policy.empty();
  if (!has_preset && !has_policy && options.against_assignments.empty()) return out;
  if (has_preset || has_policy) flags = {};
  if (has_preset) flags.preset = options.against;
  if (has_policy) flags.policy = options.against_policy;
  flags.assignments.insert(flags.assignments.end(), options.against_assignments.begin(),
                           options.against_assignments.end());
  out.push_back({"against", flags.cache_policy(), {}});
  return out;
}

}  // namespace qaq::cli
