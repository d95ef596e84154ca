#include "core/analysis/lesson.h"

#include <algorithm>
#include <cctype>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

// 1 and 1.0 are the same number, whoever wrote it.
bool same_value(const ParameterValue& a, const ParameterValue& b) {
  const auto number = [](const ParameterValue& value) -> std::optional<double> {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    if (const auto* real = std::get_if<double>(&value)) return *real;
    return std::nullopt;
  };
  const auto x = number(a), y = number(b);
  return x && y ? *x == *y : a == b;
}

bool parameter_is(const LessonCondition& condition, const LessonState& state) {
  // Another policy than the lesson's has no such parameter.
  const auto is_named = [&](const Parameter& each) {
    return each.name == condition.parameter || each.info.name == condition.parameter;
  };
  if (std::ranges::none_of(state.parameters, is_named)) return false;
  const auto meant = parameters_named(state.parameters, condition.parameter);
  return std::ranges::all_of(
      meant, [&](const Parameter& each) { return same_value(each.value, condition.value); });
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& letter : out)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return out;
}

/// "05-budget", "budget", "05", "5", the title.
std::vector<std::string> names_of(const Lesson& lesson) {
  std::vector<std::string> out{lower_case(lesson.id), lower_case(lesson.title)};
  const std::size_t dash = lesson.id.find('-');
  if (dash == std::string::npos) return out;
  const std::string number = lesson.id.substr(0, dash);
  out.push_back(lower_case(lesson.id.substr(dash + 1)));
  out.push_back(number);
  out.push_back(number.substr(std::min(number.find_first_not_of('0'), number.size())));
  return out;
}

}  // namespace

bool holds(const LessonCondition& condition, const LessonState& state) {
  const auto is = [&](const ParameterValue& value) { return same_value(value, condition.value); };
  switch (condition.subject) {
    case LessonSubject::parameter:
      return parameter_is(condition, state);
    case LessonSubject::view:
      return std::ranges::any_of(state.views, is);
    case LessonSubject::locked:
      return is(state.locked);
    case LessonSubject::token:
      return state.locked && is(state.token);
    case LessonSubject::layer:
      return is(state.layer);
    case LessonSubject::head:
      return is(state.head);
    case LessonSubject::query_head:
      return is(state.query_head);
    case LessonSubject::cache:
      return is(state.cache);
    case LessonSubject::prefix:
      return is(state.prefix);
  }
  return false;
}

bool hold(const std::vector<LessonCondition>& conditions, const LessonState& state) {
  return std::ranges::all_of(
      conditions, [&](const LessonCondition& condition) { return holds(condition, state); });
}

std::size_t find_lesson(const std::vector<Lesson>& lessons, std::string_view name) {
  const std::string wanted = lower_case(name);
  std::string all;
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    if (std::ranges::count(names_of(lessons[i]), wanted) > 0) return i;
    all += (all.empty() ? "" : ", ") + lessons[i].id;
  }
  refuse_usage({.place = std::string(name),
                .what = "there is no such lesson",
                .cure = cat("choose one of ", all, ", by name, number or title")});
}

}  // namespace qaq
