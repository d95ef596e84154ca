// Heavy hitters against FMInference/H2O's own cache (real drop, fed the group's sum), and by hand.
#include "core/policy/h2o_policy.h"

#include <gtest/gtest.h>

#include "tests/support/narrative_layer.h"

namespace qaq {
namespace {

using test::rival_retention;

H2oPolicy of_sizes(std::int64_t heavy, std::int64_t recent, GqaReduce gqa = GqaReduce::sum) {
  return H2oPolicy(
      {.budget_by = H2oBudget::size, .hh_size = heavy, .recent_size = recent, .gqa = gqa});
}

TEST(H2oPolicy, KeepsWhatItsOwnCacheKeepsStepByStep) {
  int n = 0;
  for (const std::string config : {"0", "1", "2"}) {
    for (const std::string layer : {"01", "14"}) {
      const std::string group = "h2o/" + config + "/layer" + layer;
      const auto number = [&](const char* name) {
        return static_cast<std::int64_t>(rival_retention().number_attribute(group, name));
      };
      const auto kept = rival_retention().integers(group + "/kept");
      const auto accumulated = rival_retention().doubles(group + "/accumulated");
      const auto input = test::narrative_layer(layer);
      const H2oPolicy policy = of_sizes(number("hh_size"), number("recent_size"));
      test::RetentionRun run(input, number("prompt"), policy);
      const auto& caches = dynamic_cast<const HeavyHitters&>(run.layer());
      std::size_t at = 0;
      do {
        for (std::int64_t head = 0; head < 3; ++head) {
          std::vector<std::int64_t> tokens;
          for (const HeavyHitters::Cached& each : caches.cached(head)) {
            ASSERT_LT(at, kept.size());
            ASSERT_EQ(each.token, kept[at]) << group << " " << at;
            EXPECT_NEAR(each.attention, accumulated[at], 1e-5 * accumulated[at]) << group;
            tokens.push_back(each.token);
            ++at;
          }
          EXPECT_EQ(run.kept_tokens(head), tokens);
        }
      } while (run.step());
      EXPECT_EQ(at, kept.size());
      ++n;
    }
  }
  EXPECT_EQ(n, 6);
}

// One KV head, whose prompt's columns sum to `attention`.
std::vector<std::uint8_t> kept_of(const H2oPolicy& policy, const std::vector<float>& attention) {
  const auto n = std::ssize(attention);
  NdArray<float, 3> scores({1, 1, n});
  std::copy(attention.begin(), attention.end(), scores.data());
  NdArray<std::uint8_t, 2> kept({1, n}, 1);
  const PromptView view{.shape = {1, 1, n, 4}, .n_heads = 1, .scores = scores.view()};
  policy.open_layer(0, view.shape, 1)->prompt(view, kept.view());
  return {kept.span().begin(), kept.span().end()};
}

TEST(H2oPolicy, MicroExample) {
  using Kept = std::vector<std::uint8_t>;
  EXPECT_EQ(kept_of(of_sizes(2, 2), {5, 1, 3, 2, 9}), (Kept{1, 0, 1, 1, 1}));
  EXPECT_EQ(kept_of(of_sizes(3, 2), {5, 1, 3, 2, 9}), (Kept{1, 1, 1, 1, 1}));
  EXPECT_EQ(kept_of(of_sizes(2, 0), {5, 1, 3, 2, 9}), (Kept{1, 0, 0, 0, 1}));
  EXPECT_EQ(kept_of(of_sizes(0, 0), {5, 1, 3, 2, 9}), (Kept{0, 0, 0, 0, 1}));
  // Equal ones: the lower index.
  EXPECT_EQ(kept_of(of_sizes(2, 1), {3, 3, 3, 3, 0}), (Kept{1, 1, 0, 0, 1}));
}

TEST(H2oPolicy, RatiosAreCutToWholeTokensOfThePrompt) {
  const std::vector<float> equal(64, 1.0f);
  const auto n_kept = [&](double heavy, double recent) {
    const auto kept = kept_of(H2oPolicy({.heavy_ratio = heavy, .recent_ratio = recent}), equal);
    return std::count(kept.begin(), kept.end(), 1);
  };
  EXPECT_EQ(n_kept(0.1, 0.1), 12);
  EXPECT_EQ(n_kept(0.1, 0.15), 6 + 9);
  EXPECT_EQ(n_kept(0.01, 0.01), 1);
  EXPECT_EQ(n_kept(0.5, 0.5), 64);
}

TEST(H2oPolicy, ReducesEachRowOverTheGroup) {
  // Two query heads, two rows: by sums tokens 0 and 1 have 1.1 and 0.8, by maxima 0.6 and 0.8.
  NdArray<float, 3> scores({2, 1, 3});
  const std::vector<float> numbers{0.6f, 0.0f, 0.4f, 0.5f, 0.8f, 0.0f};
  std::copy(numbers.begin(), numbers.end(), scores.data());
  const PromptView view{.shape = {1, 1, 3, 4}, .n_heads = 2, .scores = scores.view()};
  const auto heavy = [&](GqaReduce gqa) {
    NdArray<std::uint8_t, 2> kept({1, 3}, 1);
    of_sizes(1, 1, gqa).open_layer(0, view.shape, 2)->prompt(view, kept.view());
    return kept(0, 0) ? 0 : 1;
  };
  EXPECT_EQ(heavy(GqaReduce::sum), 0);
  EXPECT_EQ(heavy(GqaReduce::mean), 0);
  EXPECT_EQ(heavy(GqaReduce::max), 1);
}

}  // namespace
}  // namespace qaq
