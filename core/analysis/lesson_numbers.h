#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/analysis/scope_params.h"
#include "core/analysis/violations.h"
#include "core/base/progress.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// A run of `qaq evaluate`, or of `qaq diagnose`, that lessons show, made beforehand
/// (data/lessons/measure.py).
struct MeasuredRun {
  std::string name;  ///< "key head 2"
  std::vector<std::pair<std::string, double>> metrics;
  std::vector<std::pair<std::string, std::string>> texts{};  ///< "command", "cause"
};
struct MeasuredRuns {
  std::string command, model, text;  ///< what all runs have in common
  std::int64_t n_tokens = 0, prefix = 0, n_positions = 0;
  std::vector<MeasuredRun> runs;
  std::vector<MeasuredRun> diagnoses{};  ///< of planted causes
};
/// Throws Error{input} where there is no such run (with the nearest) or metric.
double measured_metric(const MeasuredRuns& all, const std::string& run, std::string_view metric);

/// What the numbers of a lesson are computed from. What is missing makes numbers of it unknown.
struct LessonData {
  std::shared_ptr<const CaptureView> capture{};
  ScopeParams params{};   ///< of the setting at hand,
  SharedReplay replay{};  ///< and what it made of the capture
  std::shared_ptr<const ViolationReport> violations{};
  std::shared_ptr<const MeasuredRuns> measured{};
};

/// How people read a number.
enum class LessonForm {
  number,  ///< `digits` significant digits
  whole,
  bytes,
  share,  ///< of 1, in per cent
};

struct LessonNumber {
  std::variant<double, std::string> value;
  LessonForm form = LessonForm::number;
  int digits = 3;
};

/// The number that "NAME(ARGUMENT, ARGUMENT)" means. Throws Error{input}: there is no such name
/// (with the nearest), too few arguments, or what it needs is not at hand.
LessonNumber lesson_number(std::string_view call, const LessonData& data, const Work& work = {});

/// `text` with every {{CALL}} replaced by what `write` makes of its number. Throws what
/// lesson_number() throws, and Error{input} where a bracket is not closed.
std::string fill_lesson_text(std::string_view text, const LessonData& data,
                             const std::function<std::string(const LessonNumber&)>& write,
                             const Work& work = {});

/// Names of all numbers, with their arguments: "cache_bytes(MODEL, TOKENS)".
std::vector<std::string> lesson_number_names();

}  // namespace qaq
