#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/evaluate/multiple_choice.h"
#include "core/evaluate/text_window.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"

namespace qaq::cli {

/// What `qaq evaluate` goes through, one item after the other: questions, or windows of a text.
struct EvaluationItems {
  std::string name;                       ///< of the task or the text, for results
  std::vector<ChoiceQuestion> questions;  ///< empty for a text
  std::vector<std::string> too_long;      ///< ids of questions beyond the model's context, left out
  std::vector<std::int32_t> text;
  std::vector<TextWindow> windows;
  std::int64_t window = 0, stride = 0, n_prefix = 0;  ///< of a text

  bool is_task() const { return windows.empty(); }
  std::int64_t size() const {
    return static_cast<std::int64_t>(is_task() ? questions.size() : windows.size());
  }
  /// What the i-th result is called.
  std::string id(std::int64_t i) const;
  std::int32_t answer(std::int64_t i) const;  ///< -1 of a window
  /// Tokens of the longest item.
  std::int64_t longest() const;
  ItemResult run(PrefixRun& run, std::int64_t i, const ChoiceOptions& options,
                 const Work& work) const;
};

/// How a text is cut: by `prefix` (one window, its first tokens quantized) or by windows.
struct TextCut {
  std::int64_t prefix = 0;  ///< 0: windows
  std::int64_t window = 0;  ///< 0: 512, or the model's context where that is smaller
  std::int64_t stride = 0;  ///< 0: half a window
};

/// Which of a task's questions are asked.
struct QuestionChoice {
  std::int64_t limit = 0;  ///< 0: all
  /// Draws them, as Python's random.sample() does of the file's; without one, the file's first.
  std::optional<std::uint32_t> seed;
};

/// Questions of a task file, without beginning tokens; those that exceed the model's context are
/// chosen, too, and then left out. Throws Error{input} where none fits it, or a choice adds no
/// token to its question.
EvaluationItems task_items(const std::string& path, const ModelFile& model,
                           const Tokenizer& tokenizer, const QuestionChoice& choice);
/// The first `limit` windows of a UTF-8 file; a beginning token goes before the text where the
/// model's files ask for one. Throws Error{usage} where a window goes beyond the model's context.
EvaluationItems text_items(const std::string& path, const ModelFile& model,
                           const Tokenizer& tokenizer, const TextCut& cut, std::int64_t limit);

}  // namespace qaq::cli
