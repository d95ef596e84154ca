#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/analysis/lesson_numbers.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/captured_layers.h"

namespace qaq {

// What the families of a lesson's numbers share.

[[noreturn]] inline void refuse_lesson(const std::string& place, const std::string& what,
                                       const std::string& cure) {
  refuse_input({.place = place, .what = what, .cure = cure});
}

/// The words of a call, and what it is computed from.
class LessonCall {
 public:
  LessonCall(std::string text, std::vector<std::string> arguments, const LessonData& data,
             const Work& work)
      : text_(std::move(text)), arguments_(std::move(arguments)), data_(data), work_(work) {}

  const std::string& word(std::size_t i) const { return arguments_[i]; }
  double number(std::size_t i) const {
    const std::string& text = arguments_[i];
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
    refuse_lesson(text_, cat("'", text, "' is no number"), "write it as in 0.01");
  }
  std::int64_t whole(std::size_t i) const { return static_cast<std::int64_t>(number(i)); }
  CacheSide side(std::size_t i) const {
    return choice(i, {"key", "value"}) == 0 ? CacheSide::key : CacheSide::value;
  }
  std::size_t choice(std::size_t i, const std::vector<std::string>& names) const {
    const auto found = std::ranges::find(names, arguments_[i]);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    refuse_lesson(text_, cat("'", arguments_[i], "' is not known"), cat("choose one of ", all));
  }
  const CaptureView& capture() const { return *need(data_.capture, "a capture"); }
  const CaptureInfo& info() const { return capture().info(); }
  const ReplayResult& replay() const { return *need(data_.replay, "a replay"); }
  const ViolationReport& violations() const { return *need(data_.violations, "attention"); }
  const MeasuredRuns& measured() const { return *need(data_.measured, "measured runs"); }
  const ScopeParams& params() const { return data_.params; }
  const Work& work() const { return work_; }
  /// Index among the captured layers.
  std::int64_t layer(std::size_t i) const {
    if (const auto index = captured_index(info().layers, static_cast<std::int32_t>(whole(i)))) {
      return *index;
    }
    refuse_lesson(text_, cat("layer ", arguments_[i], " was not captured"), "name one that was");
  }
  std::int64_t below(std::size_t i, std::int64_t end, const char* what) const {
    const std::int64_t at = whole(i);
    if (at >= 0 && at < end) return at;
    refuse_lesson(text_, cat("there is no ", what, " ", at), cat("there are ", end));
  }
  const std::string& text() const { return text_; }

 private:
  template <class Pointer>
  const Pointer& need(const Pointer& pointer, const char* what) const {
    if (!pointer) refuse_lesson(text_, cat("needs ", what), "it is not at hand");
    return pointer;
  }

  std::string text_;
  std::vector<std::string> arguments_;
  const LessonData& data_;
  const Work& work_;
};

inline LessonNumber whole(double value) { return {.value = value, .form = LessonForm::whole}; }
inline LessonNumber bytes(double value) { return {.value = value, .form = LessonForm::bytes}; }
inline LessonNumber share(double value) { return {.value = value, .form = LessonForm::share}; }
inline LessonNumber number(double value, int digits = 3) {
  return {.value = value, .digits = digits};
}
inline LessonNumber words(std::string text) { return {.value = std::move(text)}; }

/// A number that lessons may name.
struct KnownNumber {
  const char* name;
  const char* arguments;  ///< as they are written: "MODEL, TOKENS|all"
  std::size_t count;
  LessonNumber (*find)(const LessonCall&);
};

/// By file: of shapes and formulas; of the capture and the setting at hand; of runs made beforehand
/// and of the paper. To add one: a function and its line there.
std::span<const KnownNumber> formula_numbers();
std::span<const KnownNumber> capture_numbers();
std::span<const KnownNumber> result_numbers();

}  // namespace qaq
