#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/chart.h"
#include "core/analysis/table.h"
#include "core/base/progress.h"
#include "core/engine/engine.h"
#include "core/evaluate/multiple_choice.h"
#include "core/replay/run_mode.h"
#include "core/tensor/dtype.h"

namespace qaq {

/// What an experiment goes through.
enum class ExperimentNeeds {
  questions,  ///< multiple choice
  text,       ///< a text, or the questions with their right choices
};

/// What an experiment is given.
struct ExperimentContext {
  /// Opens an engine for so many tokens.
  std::function<std::unique_ptr<Engine>(std::int64_t n_tokens)> open;
  /// The same on the model with a share of its weights pruned, which is done once a call.
  std::function<std::function<std::unique_ptr<Engine>(std::int64_t n_tokens)>(double share)>
      open_pruned;
  std::string task_name;                  ///< empty without questions
  std::vector<ChoiceQuestion> questions;  ///< in the task's order, as many as may be asked
  std::vector<std::int32_t> text;         ///< tokens of one text, or of questions and right choices
  std::int64_t context_length = 0;        ///< of the model
  std::int64_t n_first = 0;  ///< tokens of the text that belong together: all, or one question's
  std::int32_t layer = 1;    ///< fig2b
  std::int32_t head = 8;     ///< fig2b, a query head
  DType dtype = DType::f16;  ///< of the whole cache that is quantized; the authors ran float16
  double seconds = 600;      ///< how long it may take
  Work work;
};

/// One of an experiment's tables: a CSV file, a part of the JSON document and, unless it is long, a
/// part of the page.
struct ExperimentTable {
  std::string name;   ///< empty for the main one; what file names end with
  std::string title;  ///< of the page
  Table table;
  bool in_page = true;
};

/// What an experiment found. Remarks are Markdown; every number in them was computed.
struct ExperimentResult {
  std::string items;                  ///< "questions", "tokens": what n counts
  std::int64_t n = 0;                 ///< items that were run
  std::int64_t n_available = 0;       ///< items that there were
  double seconds = 0;                 ///< that the runs took
  std::vector<std::string> settings;  ///< what all runs had in common
  std::vector<ExperimentTable> tables;
  Chart chart{};  ///< its series name the tables' columns
  std::vector<std::string> remarks;
};

/// A figure or table of the paper (arXiv 2403.04643), or a check of our own, made again.
struct Experiment {
  std::string_view name;   ///< "fig2a"
  std::string_view title;  ///< one line
  std::string_view paper;  ///< what the paper shows and reports; empty for our own
  ExperimentNeeds needs = ExperimentNeeds::questions;
  RunMode mode = RunMode::in_the_model;  ///< of its figures
  /// Throws Error{interrupted} when stopped, Error{usage} for a layer or head that is not there.
  ExperimentResult (*run)(const ExperimentContext&) = nullptr;
  bool scores_questions = false;  ///< has them answered: other seeds, other answers
  bool prunes = false;            ///< opens models with pruned weights itself
};

/// What the files of a table are called, without their ending: "fig4", "fig4-paper".
std::string table_stem(std::string_view experiment, const std::string& table);

/// All of them. To add one: a function in a file of its kind (accuracy_experiments.cpp,
/// capture_experiments.cpp, cost_experiment.cpp; of an extension policy one of its own, declared in
/// extension_experiments.h), a line here, its numbers in paper_results.cpp.
std::span<const Experiment> experiments();

}  // namespace qaq
