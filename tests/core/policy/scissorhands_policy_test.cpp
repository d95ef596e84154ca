// Counters and what they drop against separate numpy (no code was published), and by hand.
#include "core/policy/scissorhands_policy.h"

#include <gtest/gtest.h>

#include "tests/support/narrative_layer.h"
#include "tests/support/refusal.h"

namespace qaq {
namespace {

using test::rival_retention;

TEST(ScissorhandsPolicy, KeepsAndCountsAsSeparateNumpyStepByStep) {
  for (const std::string layer : {"01", "14"}) {
    const std::string group = "scissorhands/layer" + layer;
    const auto number = [&](const char* name) {
      return static_cast<std::int64_t>(rival_retention().number_attribute(group, name));
    };
    const auto kept = rival_retention().integers(group + "/kept");
    const auto counter = rival_retention().integers(group + "/counter");
    const auto n_kept = rival_retention().integers(group + "/n_kept");
    const auto n_slots = rival_retention().shape(group + "/kept").at(2);
    const auto input = test::narrative_layer(layer);
    const ScissorhandsPolicy policy({.budget = number("budget"),
                                     .history_window = number("history_window"),
                                     .recent_window = number("recent_window"),
                                     .drop = number("drop")});
    test::RetentionRun run(input, number("prompt"), policy);
    const auto& caches = dynamic_cast<const PivotalTokens&>(run.layer());
    std::int64_t step = 0;
    do {
      for (std::int64_t head = 0; head < 3; ++head) {
        const auto tokens = run.kept_tokens(head);
        const auto counters = caches.counters(head);
        ASSERT_EQ(std::ssize(tokens), n_kept[static_cast<std::size_t>(step)]);
        ASSERT_EQ(tokens.size(), counters.size());
        for (std::int64_t slot = 0; slot < n_slots; ++slot) {
          const auto at = static_cast<std::size_t>((step * 3 + head) * n_slots + slot);
          const auto own = static_cast<std::size_t>(slot);
          const bool filled = own < tokens.size();
          ASSERT_EQ(filled ? tokens[own] : -1, kept[at]) << group << ", step " << step;
          ASSERT_EQ(filled ? counters[own] : -1, static_cast<double>(counter[at]))
              << group << ", step " << step << ", head " << head << ", token " << tokens[own];
        }
      }
      ++step;
    } while (run.step());
    EXPECT_EQ(step, std::ssize(n_kept));
  }
}

// One head, all of whose rows are `row` (its tokens' own beginning), through a prompt of T.
std::vector<std::int64_t> after_prompt(const ScissorhandsParams& params,
                                       const std::vector<float>& row) {
  const auto n = std::ssize(row);
  NdArray<float, 3> scores({1, 1, n});
  std::copy(row.begin(), row.end(), scores.data());
  NdArray<std::uint8_t, 2> kept({1, n}, 1);
  const PromptView view{.shape = {1, 1, n, 4}, .n_heads = 1, .scores = scores.view()};
  ScissorhandsPolicy(params).open_layer(0, view.shape, 1)->prompt(view, kept.view());
  std::vector<std::int64_t> out;
  for (std::int64_t token = 0; token < n; ++token) {
    if (kept(0, token)) out.push_back(token);
  }
  return out;
}

TEST(ScissorhandsPolicy, WindowAndDropOfOneTakeTheFirstTokenUnderTheAverage) {
  const ScissorhandsParams params{.budget = 5, .history_window = 1, .recent_window = 1, .drop = 1};
  using Tokens = std::vector<std::int64_t>;
  EXPECT_EQ(after_prompt(params, {.5f, .1f, .1f, .2f, .1f}), (Tokens{0, 2, 3, 4}));
  // 0.2 is not under 1 / 5; of equal counters the older goes first.
  EXPECT_EQ(after_prompt(params, {.2f, .2f, .2f, .2f, .2f}), (Tokens{1, 2, 3, 4}));
  EXPECT_EQ(after_prompt(params, {.5f, .2f, .2f, .1f, 0}), (Tokens{0, 1, 2, 4}));
  // Below the budget nothing goes; above it all that is too much at once.
  EXPECT_EQ(after_prompt(params, {.5f, .1f, .2f, .2f}), (Tokens{0, 1, 2, 3}));
  EXPECT_EQ(after_prompt(params, {.5f, .1f, .1f, .1f, .1f, .1f}), (Tokens{0, 3, 4, 5}));
}

TEST(ScissorhandsPolicy, BudgetsWithoutRoomAreRefused) {
  const auto line = [](const ScissorhandsParams& params) {
    return test::refusal([&] { ScissorhandsPolicy{params}; }, ErrorKind::usage);
  };
  EXPECT_EQ(line({.budget = 20}), "taken");
  EXPECT_NE(line({.budget = 18}).find("budget"), std::string::npos);
  EXPECT_NE(line({.budget = 40, .drop = 31}).find("newest 10"), std::string::npos);
  EXPECT_EQ(line({.budget = 40, .drop = 30}), "taken");
  EXPECT_NE(line({.budget = 4, .recent_window = 0, .drop = 4}).find("budget"), std::string::npos);
}

}  // namespace
}  // namespace qaq
