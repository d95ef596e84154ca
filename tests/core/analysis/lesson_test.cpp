#include "core/analysis/lesson.h"

#include <gtest/gtest.h>

#include "core/analysis/scope_params.h"

namespace qaq {
namespace {

LessonState state() {
  return {.parameters = list_parameters(ScopeParams{}),
          .views = {"bits", "formula"},
          .locked = true,
          .token = 20,
          .layer = 14,
          .head = 1,
          .query_head = 4,
          .cache = "value",
          .prefix = 32};
}

bool holds_of(LessonSubject subject, ParameterValue value, std::string parameter = {}) {
  return holds({subject, std::move(parameter), std::move(value)}, state());
}

TEST(LessonCondition, AsksForTheValueOfAParameter) {
  using enum LessonSubject;
  EXPECT_TRUE(holds_of(parameter, std::int64_t{5}, "value.last_n_attentions"));
  EXPECT_FALSE(holds_of(parameter, std::int64_t{1}, "value.last_n_attentions"));
  EXPECT_TRUE(holds_of(parameter, std::int64_t{1}, "value.target_quantization_error")) << "as 1.0";
  EXPECT_TRUE(holds_of(parameter, std::string("reference"), "key.variant"));
}

TEST(LessonCondition, AsksBothCachesForABareName) {
  ScopeParams params;
  const LessonCondition condition{LessonSubject::parameter, "n_bits_max", std::int64_t{4}};
  set_parameter(params, "key.n_bits_max", std::int64_t{4});
  EXPECT_FALSE(holds(condition, {.parameters = list_parameters(params)}));
  set_parameter(params, "value.n_bits_max", std::int64_t{4});
  EXPECT_TRUE(holds(condition, {.parameters = list_parameters(params)}));
}

TEST(LessonCondition, AsksWhereTheWindowLooks) {
  using enum LessonSubject;
  EXPECT_TRUE(holds_of(view, std::string("formula")));
  EXPECT_FALSE(holds_of(view, std::string("errors")));
  EXPECT_TRUE(holds_of(locked, true));
  EXPECT_FALSE(holds_of(locked, false));
  EXPECT_TRUE(holds_of(token, std::int64_t{20}));
  EXPECT_FALSE(holds_of(token, std::int64_t{21}));
  EXPECT_TRUE(holds_of(layer, std::int64_t{14}));
  EXPECT_TRUE(holds_of(head, std::int64_t{1}));
  EXPECT_TRUE(holds_of(query_head, std::int64_t{4}));
  EXPECT_TRUE(holds_of(cache, std::string("value")));
  EXPECT_FALSE(holds_of(cache, std::string("key")));
  EXPECT_TRUE(holds_of(prefix, std::int64_t{32}));
  LessonState unlocked = state();
  unlocked.locked = false;
  EXPECT_FALSE(holds({token, {}, std::int64_t{20}}, unlocked)) << "of a cell that was locked";
}

TEST(LessonCondition, AllHaveToHold) {
  const std::vector<LessonCondition> both{{LessonSubject::layer, {}, std::int64_t{14}},
                                          {LessonSubject::head, {}, std::int64_t{1}}};
  LessonState now = state();
  EXPECT_TRUE(hold(both, now));
  EXPECT_TRUE(hold({}, now));
  now.head = 2;
  EXPECT_FALSE(hold(both, now));
}

}  // namespace
}  // namespace qaq
