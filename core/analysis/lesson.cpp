#include "core/analysis/lesson.h"

#include <algorithm>

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
  const auto meant = parameters_named(state.parameters, condition.parameter);
  return std::ranges::all_of(
      meant, [&](const Parameter& each) { return same_value(each.value, condition.value); });
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

}  // namespace qaq
