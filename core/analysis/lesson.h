#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parameters.h"

namespace qaq {

/// What a condition of a lesson asks the window about.
enum class LessonSubject {
  parameter,   ///< a parameter by its name in --set; a bare name means both caches
  view,        ///< a view that is in sight
  locked,      ///< whether a cell is locked
  token,       ///< position of the locked cell
  layer,       ///< the model's number of the layer that is shown
  head,        ///< KV head
  query_head,  ///< -1: the maximum over the KV head's query heads
  cache,       ///< "key" or "value"
  prefix,      ///< tokens that are quantized; 0: all
};
template <>
struct ChoiceNames<LessonSubject> {
  static constexpr std::array<std::string_view, 9> names{
      "parameter", "view", "locked", "token", "layer", "head", "query_head", "cache", "prefix"};
};

struct LessonCondition {
  LessonSubject subject = LessonSubject::view;
  std::string parameter{};  ///< its name, of subject parameter
  ParameterValue value{};
};

/// What of the window conditions ask about.
struct LessonState {
  std::vector<Parameter> parameters{};
  std::vector<std::string> views{};  ///< in sight
  bool locked = false;
  std::int64_t token = -1;  ///< of the locked cell; -1: none
  std::int64_t layer = 0;
  std::int64_t head = 0;
  std::int64_t query_head = -1;
  std::string cache{};
  std::int64_t prefix = 0;
};

bool holds(const LessonCondition& condition, const LessonState& state);
/// All of them.
bool hold(const std::vector<LessonCondition>& conditions, const LessonState& state);

/// Texts are Markdown in which {{NAME(ARGUMENTS)}} stands for a number of lesson_numbers.h.
struct LessonQuestion {
  std::string text;
  std::vector<std::string> choices;
  std::string answer;  ///< once its numbers are filled in it is one of the choices: the right one
  std::string why;     ///< shown with the right choice
};

struct LessonStep {
  std::string id;
  std::string title{};
  std::string body{};
  std::vector<std::string> commands{};     ///< what "Show me" does: lines as --do takes them
  std::vector<std::string> highlight{};    ///< object names: views, docks, parameters
  std::vector<LessonCondition> done{};     ///< empty: done once it was read
  std::vector<LessonQuestion> question{};  ///< one at most
  std::string picture{};                   ///< view that a hand-out shows; empty: none
  std::string chart{};                     ///< of lesson_charts.h, below the text; empty: none
};

struct Lesson {
  std::string id;         ///< "05-budget", as its files are called
  std::string title{};    ///< "5 From error budget to bits"
  std::string capture{};  ///< name of the sample that it needs
  std::vector<LessonStep> steps{};
  /// What the paper reports, what is found here, and what differs: Markdown below every step from
  /// the one on that it belongs to. Empty: the lesson reproduces nothing.
  std::string comparison{};
  std::string comparison_from{};  ///< id of a step
};

/// Index of the lesson of this name: its id, the id without its number, its number, or its title;
/// letters of either case. Throws Error{usage}, with the names, where there is none.
std::size_t find_lesson(const std::vector<Lesson>& lessons, std::string_view name);

}  // namespace qaq
