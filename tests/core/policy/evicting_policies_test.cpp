// What holds for every policy that evicts. To add one: its lines in evicting_cases().
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/policy/adakv_policy.h"
#include "core/policy/h2o_policy.h"
#include "core/policy/knorm_policy.h"
#include "core/policy/observed_attention_policy.h"
#include "core/policy/pyramidkv_policy.h"
#include "core/policy/scissorhands_policy.h"
#include "core/policy/snapkv_policy.h"
#include "core/policy/streaming_llm_policy.h"
#include "core/policy/tova_policy.h"
#include "tests/support/retention_run.h"

namespace qaq {
namespace {

using test::SyntheticShape;

constexpr std::uint32_t kSeed = 20240306;

template <class Policy>
std::shared_ptr<const CachePolicy> made(std::span<const std::string> assignments) {
  typename Policy::Params params;
  for (const std::string& each : assignments) apply_assignment(params, each);
  return std::make_shared<Policy>(params);
}

/// A policy with a setting, and what the setting promises of prompts of T tokens.
struct EvictingCase {
  std::string_view name;
  std::string_view help;
  std::span<const PolicyPreset> presets;
  std::shared_ptr<const CachePolicy> (*make)(std::span<const std::string> assignments);
  std::vector<std::string> assignments{};
  /// Tokens that a KV head keeps after the prompt, as a mean over the layer's heads.
  std::function<std::int64_t(std::int64_t T)> budget{};
  std::int64_t n_newest = 0;  ///< of the prompt's newest tokens, how many stay
  bool prompt_only = true;
};

template <class Policy>
EvictingCase of(std::string_view name, std::vector<std::string> assignments = {}) {
  return {name,         Policy::kHelp,          Policy::presets(),
          made<Policy>, std::move(assignments), [](std::int64_t n_tokens) { return n_tokens; }};
}

template <class Policy>
EvictingCase press(std::string_view name, std::vector<std::string> more = {},
                   std::int64_t n_newest = 0) {
  more.push_back("compression_ratio=0.6");
  EvictingCase out = of<Policy>(name, std::move(more));
  out.budget = [](std::int64_t n_tokens) { return n_kept(n_tokens, 0.6); };
  out.n_newest = n_newest;
  return out;
}

std::vector<EvictingCase> evicting_cases() {
  std::vector<EvictingCase> out{
      // With its defaults each takes any cache.
      of<ScissorhandsPolicy>("scissorhands"), of<StreamingLlmPolicy>("streaming_llm"),
      of<SnapKvPolicy>("snapkv"), of<PyramidKvPolicy>("pyramidkv"), of<KnormPolicy>("knorm"),
      of<TovaPolicy>("tova"), of<ObservedAttentionPolicy>("observed_attention"),
      of<ExpectedAttentionPolicy>("expected_attention"), of<RandomPolicy>("random"),
      of<AdaKvPolicy>("adakv"),
      // And with settings that evict.
      press<KnormPolicy>("knorm"), press<TovaPolicy>("tova", {}, 1),
      press<ObservedAttentionPolicy>("observed_attention"),
      press<ExpectedAttentionPolicy>("expected_attention", {"n_sink=2"}),
      press<RandomPolicy>("random", {"seed=3"}), press<AdaKvPolicy>("adakv", {"score=knorm"}),
      press<AdaKvPolicy>("adakv", {"score=expected_attention", "epsilon=0.01"}),
      press<AdaKvPolicy>("adakv", {"score=random", "alpha_safeguard=0"}),
      press<AdaKvPolicy>("adakv", {"score=observed_attention", "alpha_safeguard=1"}),
      press<AdaKvPolicy>("adakv", {"score=tova"})};
  out.push_back(of<H2oPolicy>("h2o"));
  out.back().budget = [](std::int64_t n_tokens) {
    const auto tenth = static_cast<std::int64_t>(0.1 * static_cast<double>(n_tokens));
    return std::max<std::int64_t>(1, 2 * tenth);
  };
  out.back().n_newest = 1;
  out.back().prompt_only = false;
  for (const std::string gqa : {"sum", "mean", "max"}) {
    out.push_back(
        of<H2oPolicy>("h2o", {"budget_by=size", "hh_size=5", "recent_size=4", "gqa=" + gqa}));
    out.back().budget = [](std::int64_t n_tokens) { return std::min<std::int64_t>(n_tokens, 9); };
    out.back().n_newest = 4;
    out.back().prompt_only = false;
    out.push_back(of<ScissorhandsPolicy>(
        "scissorhands",
        {"budget=12", "history_window=6", "recent_window=3", "drop=5", "gqa=" + gqa}));
    out.back().budget = [](std::int64_t n_tokens) { return n_tokens < 12 ? n_tokens : 12 - 5; };
    out.back().n_newest = 3;
    out.back().prompt_only = false;
  }
  out.push_back(of<StreamingLlmPolicy>("streaming_llm", {"start_size=2", "recent_size=6"}));
  out.back().budget = [](std::int64_t n_tokens) { return std::min<std::int64_t>(n_tokens, 7); };
  out.back().n_newest = 5;
  out.back().prompt_only = false;
  for (const std::string gqa : {"mean", "max"}) {
    for (const std::string pooling : {"avgpool", "maxpool"}) {
      out.push_back(of<SnapKvPolicy>("snapkv", {"window_size=4", "max_capacity_prompt=11",
                                                "pooling=" + pooling, "gqa=" + gqa}));
      out.back().budget = [](std::int64_t n_tokens) {
        return std::min<std::int64_t>(n_tokens, 11);
      };
      out.back().n_newest = 4;
    }
  }
  return out;
}

struct Played {
  EvictingCase policy;
  SyntheticShape shape;
  std::int64_t n_prompt = 0;

  std::shared_ptr<const CachePolicy> made() const { return policy.make(policy.assignments); }
};

std::ostream& operator<<(std::ostream& out, const Played& c) {
  out << c.policy.name;
  for (const std::string& each : c.policy.assignments) out << ' ' << each;
  return out << ", " << c.shape.n_heads << " over " << c.shape.n_kv_heads << " heads, "
             << c.n_prompt << " of " << c.shape.n_tokens << " tokens";
}

std::vector<Played> played_cases() {
  std::vector<Played> out;
  for (const EvictingCase& policy : evicting_cases()) {
    out.push_back({policy, {.n_heads = 9, .n_kv_heads = 3, .n_tokens = 60}, 41});
    out.push_back({policy, {.n_heads = 8, .n_kv_heads = 8, .n_tokens = 50}, 50});
    out.push_back({policy, {.n_heads = 8, .n_kv_heads = 1, .n_tokens = 30}, 12});
    out.push_back({policy, {.n_heads = 4, .n_kv_heads = 2, .n_tokens = 20}, 1});
    out.push_back({policy, {.n_heads = 4, .n_kv_heads = 2, .n_tokens = 1}, 1});
  }
  return out;
}

class EvictingPolicies : public testing::TestWithParam<Played> {
 protected:
  test::RetainedLayer layer() const { return test::synthetic_layer(GetParam().shape, kSeed); }
  // What is kept after the prompt and after each step.
  std::vector<std::vector<std::uint8_t>> history(const test::RetainedLayer& input) const {
    const auto policy = GetParam().made();
    std::vector<std::vector<std::uint8_t>> out;
    test::RetentionRun run(input, GetParam().n_prompt, *policy->retention());
    do {
      out.emplace_back(run.kept().span().begin(), run.kept().span().end());
    } while (run.step());
    return out;
  }
};

// That nothing returns is the run's own check.
TEST_P(EvictingPolicies, KeepTheirBudgetAndTheNewest) {
  const EvictingCase& c = GetParam().policy;
  const auto input = layer();
  const auto policy = GetParam().made();
  const std::int64_t n_prompt = GetParam().n_prompt, n_heads = input.key.shape(0);
  test::RetentionRun run(input, n_prompt, *policy->retention());
  const auto n_all = [&] { return std::ranges::count(run.kept().span(), std::uint8_t{1}); };
  EXPECT_EQ(n_all(), n_heads * c.budget(n_prompt));
  std::vector<std::int64_t> before;
  for (std::int64_t head = 0; head < n_heads; ++head) {
    before.push_back(std::ssize(run.kept_tokens(head)));
    if (c.name != "adakv") {
      EXPECT_EQ(before.back(), c.budget(n_prompt));
    }
  }
  do {
    const std::int64_t n_tokens = run.kept().shape(1);
    for (std::int64_t head = 0; head < n_heads; ++head) {
      const auto tokens = run.kept_tokens(head);
      ASSERT_GE(std::ssize(tokens), 1) << n_tokens;
      const std::int64_t n_newest = c.prompt_only ? n_tokens - n_prompt + c.n_newest : c.n_newest;
      for (std::int64_t age = 0; age < std::min(n_newest, n_tokens); ++age) {
        ASSERT_TRUE(run.kept()(head, n_tokens - 1 - age)) << n_tokens;
      }
      if (c.prompt_only) {
        ASSERT_EQ(std::ssize(tokens), before[static_cast<std::size_t>(head)] + n_tokens - n_prompt);
      }
    }
  } while (run.step());
}

TEST_P(EvictingPolicies, AnswerTheSameOnAnyNumberOfThreads) {
  const auto input = layer();
  const int n_threads = thread_count();
  set_thread_count(1);
  const auto one = history(input);
  set_thread_count(3);
  const auto three = history(input);
  set_thread_count(n_threads);
  EXPECT_EQ(one, three);
  EXPECT_EQ(one.size(),
            static_cast<std::size_t>(GetParam().shape.n_tokens - GetParam().n_prompt + 1));
}

TEST_P(EvictingPolicies, DoNotTellTheQueryHeadsOfAGroupApart) {
  const auto input = layer();
  test::RetainedLayer swapped = layer();
  const std::int64_t group = input.query.shape(0) / input.key.shape(0);
  for (NdArray<float, 3>* each : {&swapped.query, &swapped.attention}) {
    for (std::int64_t head = 0; head + 1 < group; head += 2) {
      std::swap_ranges(each->sub(head).span().begin(), each->sub(head).span().end(),
                       each->sub(head + 1).span().begin());
    }
  }
  EXPECT_EQ(history(input), history(swapped));
}

TEST_P(EvictingPolicies, SurviveCachesWithoutDifferences) {
  test::RetainedLayer input = layer();
  for (NdArray<float, 3>* each : {&input.query, &input.key, &input.value}) {
    std::ranges::fill(each->span(), 0.0f);
  }
  for (std::int64_t head = 0; head < input.attention.shape(0); ++head) {
    for (std::int64_t row = 0; row < input.attention.shape(1); ++row) {
      for (std::int64_t t = 0; t <= row; ++t) {
        input.attention(head, row, t) = 1.0f / static_cast<float>(row + 1);
      }
    }
  }
  const auto kept = history(input);
  EXPECT_EQ(std::ranges::count(kept[0], std::uint8_t{1}),
            input.key.shape(0) * GetParam().policy.budget(GetParam().n_prompt));
  EXPECT_EQ(kept, history(input));
}

TEST_P(EvictingPolicies, KeepValuesExact) {
  const auto policy = GetParam().made();
  EXPECT_EQ(policy->name(), GetParam().policy.name);
  ASSERT_NE(policy->retention(), nullptr);
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    PolicyView view;
    view.side = side;
    view.layout = UnitLayout(Level::head, {1, 2, 3, 4});
    EXPECT_TRUE(policy->plan(view).keeps_all());
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, EvictingPolicies, testing::ValuesIn(played_cases()));

TEST(EvictingPresets, AreTakenAndChangeSomething) {
  int n = 0;
  for (const EvictingCase& c : evicting_cases()) {
    EXPECT_FALSE(c.help.empty());
    const auto defaults = c.make({})->parameters();
    for (const PolicyPreset& preset : c.presets) {
      EXPECT_FALSE(preset.source.empty());
      EXPECT_NE(parameters_hash(c.make(preset.assignments)->parameters()),
                parameters_hash(defaults))
          << c.name << " " << preset.name;
      ++n;
    }
  }
  EXPECT_GT(n, 4);
}

}  // namespace
}  // namespace qaq
