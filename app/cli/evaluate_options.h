#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/evaluation_items.h"
#include "app/cli/evaluation_report.h"
#include "app/wiring/prompt.h"
#include "core/evaluate/multiple_choice.h"
#include "core/tensor/dtype.h"

namespace qaq::cli {

/// What `qaq evaluate` is asked for.
struct EvaluateCommand {
  std::string model;
  double prune_weights = 0;
  std::string task, text;
  PromptSource prompt;
  TextCut cut;  ///< its prefix is the prompt's, too
  std::int64_t n_generate = 64;
  bool ignore_eos = false;
  std::int64_t limit = 0;
  std::optional<std::uint32_t> seed;  ///< of the questions that are drawn
  std::string policy = "qaq";
  std::string preset;
  std::vector<std::string> assignments;
  std::string against = "none";
  std::string against_policy;
  std::vector<std::string> against_assignments;
  ChoiceOptions choice;
  DType dtype = DType::f32;
  std::string resume, output;
};

/// --seed, for every command that asks questions.
CLI::Option* add_question_seed_flag(CLI::App& command, std::optional<std::uint32_t>& seed);
/// --first-token and --length-norm, for every command that asks questions.
std::vector<CLI::Option*> add_choice_flags(CLI::App& command, ChoiceOptions& options);

void add_evaluate_flags(CLI::App& command, EvaluateCommand& options);

/// The setting, and the second one where one is asked for: QAQ by the preset --against, or
/// --against-policy, or else the first setting; changed by --against-set. Throws Error{usage} or,
/// of a preset's file, {input}.
std::vector<EvaluatedSetting> settings_of(const EvaluateCommand& options);

}  // namespace qaq::cli
