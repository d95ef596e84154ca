#include <algorithm>
#include <memory>
#include <utility>

#include "app/cli/evaluation_items.h"
#include "app/cli/method_subject.h"
#include "app/cli/printable.h"
#include "app/wiring/inputs.h"
#include "core/analysis/method_comparison.h"
#include "core/analysis/setting_runs.h"
#include "core/base/stopwatch.h"
#include "core/base/text.h"
#include "core/engine/backend.h"
#include "core/evaluate/prefix_capture.h"

namespace qaq::cli {
namespace {

// Of captured prefixes that are held while budgets are met.
constexpr std::int64_t kMostHeldBytes = std::int64_t{512} << 20;

std::int64_t bytes_per_token(const ModelShape& shape) {
  const std::int64_t rows = shape.n_heads + 2 * shape.n_kv_heads;
  return shape.n_layers * rows * shape.head_dim * static_cast<std::int64_t>(sizeof(float));
}

// The questions' caches, as many of the first as may be held.
std::vector<std::shared_ptr<const CaptureView>> prefixes_of(const ExperimentContext& context,
                                                            const Work& work) {
  std::int64_t longest = 0;
  for (const ChoiceQuestion& each : context.questions) {
    longest = std::max(longest, std::ssize(each.question));
  }
  const auto engine = context.open(longest);
  const Work silent(nullptr, work.stop_token());
  std::vector<std::shared_ptr<const CaptureView>> out;
  std::int64_t n_bytes = 0;
  for (const ChoiceQuestion& each : context.questions) {
    work.report({"capture", std::ssize(out), std::ssize(context.questions), "questions"});
    n_bytes += std::ssize(each.question) * bytes_per_token(engine->spec().shape);
    if (!out.empty() && n_bytes > kMostHeldBytes) break;
    PrefixCapture taps(engine->spec(), std::ssize(each.question), context.dtype);
    engine->keep(0);
    engine->run(each.question, &taps, silent);
    out.push_back(std::make_shared<MemoryCapture>(taps.take()));
  }
  return out;
}

ExperimentContext context_of(const MethodTask& task, const EvaluationItems& items,
                             const std::shared_ptr<const ModelFile>& model, const Work& work) {
  ExperimentContext out;
  out.open = [model, stop = work.stop_token()](std::int64_t n) {
    return make_cpu_backend()->open(model, {n, n}, Work(nullptr, stop));
  };
  out.task_name = items.name;
  out.questions = items.questions;
  out.context_length = model->spec().shape.context_length;
  out.dtype = task.dtype;
  out.seconds = task.minutes * 60;
  out.work = work;
  return out;
}

// Settings of the rows that have one, each once; rows know their place.
std::vector<NamedSetting> settings_of(std::span<const MethodAtBudget> rows, MethodScores& scores) {
  std::vector<NamedSetting> out;
  scores.setting_of.assign(rows.size(), MethodScores::kNotRun);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].fit.policy) continue;
    scores.setting_of[i] = out.size();
    out.push_back(
        {cat(rows[i].method, " at ", number_text(rows[i].fit.budget)), {}, rows[i].fit.policy});
  }
  return out;
}

}  // namespace

MethodAnswer methods_on_task(const MethodQuestion& question, const MethodTask& task,
                             const Work& work) {
  const Stopwatch total;
  const auto model = open_model_named(task.model);
  const EvaluationItems items =
      task_items(task.task, *model, *make_tokenizer(*model), {task.limit, task.seed});
  const ExperimentContext context = context_of(task, items, model, work);

  auto captures = prefixes_of(context, work);
  const std::size_t n_captures = captures.size();
  CaptureMeter meter(std::move(captures), {}, work);
  const auto rows = methods_at_budgets(question.methods, question.budgets, meter, work);
  MethodScores scores;
  std::vector<NamedSetting> settings = settings_of(rows, scores);
  SettingRuns runs = run_settings(context, std::move(settings));
  scores.items = std::move(runs.items);

  MethodAnswer out;
  out.mode = RunMode::in_the_model;
  out.subject = {.model = printable(model->spec().name),
                 .items = printable(items.name),
                 .dtype = task.dtype,
                 .too_long = items.too_long};
  out.result = method_tables(rows, &scores);
  out.result.items = "questions";
  out.result.n = std::ssize(scores.items);
  out.result.n_available = std::ssize(items.questions);
  out.result.settings = {
      "zero-shot, no beginning token, score by log-probability per token; a choice's first token "
      "comes from the whole cache",
      cat("budgets met on the caches of the first ", n_captures, " questions"),
      "attention error is of rows behind the question in the model; output and quantization error "
      "are of the questions' own caches",
      "accuracy_change is against the whole cache on the same questions, with the 95 % interval of "
      "the paired bootstrap; p_whole and p_qaq are exact McNemar tests against the whole cache and "
      "against qaq at the same budget"};
  out.result.seconds = total.seconds();
  return out;
}

}  // namespace qaq::cli
