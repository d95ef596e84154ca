#include "app/cli/evaluation_items.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "app/wiring/inputs.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/evaluate/random_sample.h"
#include "data/tasks/task_file.h"

namespace qaq::cli {
namespace {

constexpr std::int64_t kDefaultWindow = 512;

ChoiceQuestion question_of(const TaskItem& item, const std::string& path,
                           const Tokenizer& tokenizer) {
  ChoiceQuestion out;
  out.id = item.id;
  out.answer = item.answer;
  out.question = tokenizer.encode(item.question);
  for (const std::string& choice : item.choices) {
    out.choices.push_back(tokenizer.encode(item.question + " " + choice));
    out.n_bytes.push_back(std::ssize(choice));
    if (out.question.empty() || out.choices.back().size() <= out.question.size()) {
      refuse_input({.file = path,
                    .place = cat(item.id, ", choice ", out.choices.size() - 1),
                    .what = "adds no token to the question's",
                    .cure = "take the question out"});
    }
  }
  return out;
}

// Places in the file of the questions to ask.
std::vector<std::int64_t> chosen(std::int64_t n_items, const QuestionChoice& choice) {
  const std::int64_t n = choice.limit == 0 ? n_items : std::min(choice.limit, n_items);
  if (choice.seed) return random_sample(*choice.seed, n_items, n);
  std::vector<std::int64_t> out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

[[noreturn]] void refuse_window(const std::string& flag, std::int64_t n, std::int64_t context) {
  refuse_usage({.place = flag,
                .what = cat(n, " tokens, but the model's context is ", context),
                .cure = flag == "--prefix" ? "give a shorter text, or --window and --stride"
                                           : cat("give --window ", context, " or less")});
}

}  // namespace

std::int64_t EvaluationItems::longest() const {
  std::int64_t most = 0;
  for (const ChoiceQuestion& question : questions) most = std::max(most, question.longest());
  for (const TextWindow& each : windows) most = std::max(most, each.n_tokens);
  return most;
}

std::string EvaluationItems::id(std::int64_t i) const {
  const auto at = static_cast<std::size_t>(i);
  return is_task() ? questions[at].id : id_of(windows[at]);
}

std::int32_t EvaluationItems::answer(std::int64_t i) const {
  return is_task() ? questions[static_cast<std::size_t>(i)].answer : -1;
}

ItemResult EvaluationItems::run(PrefixRun& prefix_run, std::int64_t i, const ChoiceOptions& options,
                                const Work& work) const {
  const auto at = static_cast<std::size_t>(i);
  return is_task() ? score_question(prefix_run, questions[at], options, work)
                   : score_window(prefix_run, text, windows[at], work);
}

EvaluationItems task_items(const std::string& path, const ModelFile& model,
                           const Tokenizer& tokenizer, const QuestionChoice& choice) {
  const std::int64_t context = model.spec().shape.context_length;
  const Task task = read_task(path);
  EvaluationItems out;
  out.name = task.name;
  for (const std::int64_t i : chosen(std::ssize(task.items), choice)) {
    ChoiceQuestion question = question_of(task.items[static_cast<std::size_t>(i)], path, tokenizer);
    if (question.longest() > context) {
      out.too_long.push_back(question.id);
    } else {
      out.questions.push_back(std::move(question));
    }
  }
  if (out.questions.empty()) {
    refuse_input({.file = path,
                  .what = cat("none of the ", out.too_long.size(),
                              " questions fits the model's context of ", context, " tokens"),
                  .cure = "take a model with a longer context"});
  }
  return out;
}

EvaluationItems text_items(const std::string& path, const ModelFile& model,
                           const Tokenizer& tokenizer, const TextCut& cut, std::int64_t limit) {
  const std::int64_t context = model.spec().shape.context_length;
  EvaluationItems out;
  out.name = std::filesystem::path(path).filename().string();
  out.text = tokenizer.encode(read_text_file(path));
  const auto beginning = tokenizer.beginning_id();
  if (beginning && !begins_with_beginning(tokenizer, out.text)) {
    out.text.insert(out.text.begin(), *beginning);
  }
  if (out.text.empty()) {
    refuse_input({.file = path, .what = "is empty: no token to run", .cure = "give a text"});
  }
  const std::int64_t n_tokens = std::ssize(out.text);
  if (cut.prefix > 0) {
    if (cut.prefix >= n_tokens) {
      refuse_usage({.place = "--prefix",
                    .what = cat(cut.prefix, " leaves nothing of the text's ", n_tokens, " tokens"),
                    .cure = cat("give 1 to ", n_tokens - 1)});
    }
    if (n_tokens > context) refuse_window("--prefix", n_tokens, context);
    out.window = n_tokens;
    out.stride = n_tokens - cut.prefix;
  } else {
    out.window = cut.window > 0 ? cut.window : std::min(kDefaultWindow, context);
    out.stride = cut.stride > 0 ? cut.stride : out.window / 2;
    if (out.window > context) refuse_window("--window", out.window, context);
  }
  out.n_prefix = out.window - out.stride;
  out.windows = text_windows(n_tokens, out.window, out.stride);
  if (limit > 0 && limit < std::ssize(out.windows)) {
    out.windows.resize(static_cast<std::size_t>(limit));
  }
  return out;
}

}  // namespace qaq::cli
