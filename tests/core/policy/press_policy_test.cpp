// kvpress' policies against kvpress 0.5.5 in float64: scores, kept tokens, budgets.
#include "core/policy/press_policy.h"

#include <cmath>
#include <gtest/gtest.h>

#include "core/policy/adakv_policy.h"
#include "core/policy/knorm_policy.h"
#include "core/policy/observed_attention_policy.h"
#include "core/policy/pyramidkv_policy.h"
#include "core/policy/tova_policy.h"
#include "tests/support/narrative_layer.h"
#include "tests/support/refusal.h"

namespace qaq {
namespace {

using test::rival_retention;

const std::vector<double> kRatios{0.25, 0.5, 0.75};  // kept_0, kept_1, kept_2

template <class Policy>
Policy policy_of(const std::vector<std::string>& assignments) {
  typename Policy::Params params;
  for (const std::string& each : assignments) apply_assignment(params, each);
  return Policy(params);
}

// Scores of the whole narrative; the sure ones, which kvpress gives the largest of the others.
void expect_scores(const TokenScore& score, const test::RetainedLayer& input,
                   const std::string& name) {
  const PromptView view{.layer = input.layer,
                        .shape = {30, 3, 95, 64},
                        .n_heads = 9,
                        .scores = input.attention.view(),
                        .query = input.query.view(),
                        .key = input.key.view(),
                        .value = input.value.view(),
                        .rope = input.rope};
  NdArray<double, 2> ours({3, 95}, std::nan(""));
  score.score(view, ours.view());
  const auto theirs = rival_retention().doubles(name);
  ASSERT_EQ(theirs.size(), ours.span().size());
  const double most = *std::ranges::max_element(theirs);
  int n_sure = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    if (std::isinf(ours.span()[i])) {
      ++n_sure;
      EXPECT_EQ(theirs[i], most) << name << " " << i;
    } else {
      EXPECT_NEAR(ours.span()[i], theirs[i], 1e-5 * std::abs(theirs[i])) << name << " " << i;
    }
  }
  EXPECT_LT(n_sure, 60) << name;
}

template <class Policy>
void expect_as_kvpress(const std::string& press, const std::vector<std::string>& assignments = {}) {
  for (const std::string layer : {"01", "14"}) {
    const std::string group = "kvpress/" + press + "/layer" + layer;
    const auto input = test::narrative_layer(layer);
    expect_scores(policy_of<Policy>(assignments).score(), input, group + "/score");
    for (std::size_t i = 0; i < kRatios.size(); ++i) {
      auto all = assignments;
      all.push_back("compression_ratio=" + std::to_string(kRatios[i]));
      const Policy policy = policy_of<Policy>(all);
      const test::RetentionRun run(input, 95, policy);
      const std::string name = group + "/kept_" + std::to_string(i);
      const auto kept = rival_retention().integers(name);
      const std::int64_t n = rival_retention().shape(name).at(1);
      for (std::int64_t head = 0; head < 3; ++head) {
        const auto row = kept.begin() + head * n;
        EXPECT_EQ(run.kept_tokens(head), (std::vector<std::int64_t>(row, row + n)))
            << name << ", head " << head;
      }
    }
  }
}

TEST(PressPolicy, Knorm) { expect_as_kvpress<KnormPolicy>("knorm"); }
TEST(PressPolicy, Tova) { expect_as_kvpress<TovaPolicy>("tova"); }
TEST(PressPolicy, ObservedAttention) {
  expect_as_kvpress<ObservedAttentionPolicy>("observed_attention");
}
TEST(PressPolicy, ExpectedAttention) {
  expect_as_kvpress<ExpectedAttentionPolicy>("expected_attention");
}
TEST(PressPolicy, PyramidKv) { expect_as_kvpress<PyramidKvPolicy>("pyramidkv", {"window_size=8"}); }

TEST(PressPolicy, SnapKvIsAScoreOfAdaKv) {
  for (const std::string layer : {"01", "14"}) {
    const auto policy = policy_of<AdaKvPolicy>({"score=snapkv", "window_size=16"});
    expect_scores(policy.score(), test::narrative_layer(layer),
                  "kvpress/snapkv/layer" + layer + "/score");
  }
}

TEST(PressPolicy, AdaKvSharesALayersBudget) {
  int n = 0;
  for (const std::string score : {"knorm", "snapkv", "expected_attention"}) {
    for (const std::string layer : {"01", "14"}) {
      const auto input = test::narrative_layer(layer);
      for (std::size_t i = 0; i < kRatios.size(); ++i, ++n) {
        const auto policy =
            policy_of<AdaKvPolicy>({"score=" + score, "window_size=16",
                                    "compression_ratio=" + std::to_string(kRatios[i])});
        const test::RetentionRun run(input, 95, policy);
        const std::string name = "kvpress/adakv_" + score + "/layer" + layer + "/kept_mask_";
        const auto mask = rival_retention().bytes(name + std::to_string(i));
        EXPECT_TRUE(std::ranges::equal(run.kept().span(), mask)) << name << i;
      }
    }
  }
  EXPECT_EQ(n, 18);
}

TEST(PressPolicy, KeptTokensOfALength) {
  int n = 0;
  const auto tables = test::test_data_json("rivals/retention.json");
  for (const auto& row : tables.at("n_kept")) {
    EXPECT_EQ(n_kept(row.at("T"), row.at("compression_ratio")), row.at("n_kept")) << row;
    ++n;
  }
  EXPECT_EQ(n, 56);
}

TEST(PressPolicy, PyramidOfLayers) {
  int n = 0;
  const auto tables = test::test_data_json("rivals/retention.json");
  for (const auto& row : tables.at("pyramidkv_budget")) {
    PyramidKvParams params;
    params.compression_ratio = row.at("compression_ratio");
    params.beta = row.at("beta");
    params.window.window_size = row.at("window_size");
    const std::int64_t n_layers = row.at("n_layers");
    for (std::int64_t layer = 0; layer < n_layers; ++layer, ++n) {
      EXPECT_EQ(pyramid_budget(params, layer, n_layers, row.at("T")),
                row.at("budget").at(static_cast<std::size_t>(layer)))
          << row;
    }
  }
  EXPECT_EQ(n, 30 * 3 + 32 * 2 + 4 + 12 + 3 + 1);
}

TEST(PressPolicy, PyramidsHaveTheMeanThatWasAskedFor) {
  PyramidKvParams params;
  for (const double ratio : {0.1, 0.3, 0.5, 0.8, 0.95}) {
    for (const std::int64_t n_layers : {2, 4, 30}) {
      params.compression_ratio = ratio;
      params.window.window_size = 4;
      double sum = 0;
      for (std::int64_t layer = 0; layer < n_layers; ++layer) {
        sum += static_cast<double>(pyramid_budget(params, layer, n_layers, 700));
      }
      EXPECT_NEAR(sum / static_cast<double>(n_layers), 700 * (1 - ratio), 0.5) << ratio;
    }
  }
}

TEST(PressPolicy, WindowsWithoutTokensBeforeThemAreRefusedWhereAnythingGoes) {
  const CacheShape prompt{4, 2, 64, 8};
  const auto line = [&](const CachePolicy& policy) {
    return test::refusal([&] { policy.retention()->open_layer(0, prompt, 4); }, ErrorKind::usage);
  };
  EXPECT_EQ(line(policy_of<PyramidKvPolicy>({})), "taken");
  EXPECT_EQ(line(policy_of<PyramidKvPolicy>({"compression_ratio=0.5", "window_size=63"})), "taken");
  EXPECT_NE(line(policy_of<PyramidKvPolicy>({"compression_ratio=0.5"})).find("window_size"),
            std::string::npos);
  EXPECT_NE(line(policy_of<AdaKvPolicy>({"compression_ratio=0.5"})).find("64 tokens"),
            std::string::npos);
  EXPECT_NE(line(policy_of<PyramidKvPolicy>({"gqa=repeat"})).find("gqa"), std::string::npos);
}

TEST(PressPolicy, ScoresAreNumbersWhateverTheCacheHolds) {
  int n = 0;
  for (const std::string_view name : ChoiceNames<PressScore>::names) {
    const auto policy = policy_of<AdaKvPolicy>({"score=" + std::string(name), "window_size=3"});
    for (const std::int64_t n_tokens : {1, 4, 5, 30}) {
      if (name == "snapkv" && n_tokens < 4) continue;
      for (const float factor : {0.0f, 1e-20f, 1.0f, 1e6f}) {
        auto input = test::synthetic_layer({.n_tokens = n_tokens}, 5);
        for (NdArray<float, 3>* each : {&input.query, &input.key, &input.value}) {
          for (float& x : each->span()) x *= factor;
        }
        const PromptView view{.shape = {1, 2, n_tokens, 8},
                              .n_heads = 4,
                              .scores = input.attention.view(),
                              .query = input.query.view(),
                              .key = input.key.view(),
                              .value = input.value.view(),
                              .rope = input.rope};
        NdArray<double, 2> scores({2, n_tokens}, std::nan(""));
        policy.score().score(view, scores.view());
        for (const double x : scores.span()) EXPECT_FALSE(std::isnan(x)) << name << " " << factor;
        ++n;
      }
    }
  }
  EXPECT_EQ(n, 6 * 4 * 4 - 4);
}

TEST(PressPolicy, RandomDiffersBySeedAndLayerAlone) {
  auto input = test::synthetic_layer({.n_layers = 4, .n_tokens = 60}, 3);
  const auto kept = [&](const std::string& seed, std::int64_t layer) {
    input.layer = layer;
    const auto policy = policy_of<RandomPolicy>({"compression_ratio=0.5", "seed=" + seed});
    const test::RetentionRun run(input, 60, policy);
    return std::vector<std::uint8_t>(run.kept().span().begin(), run.kept().span().end());
  };
  EXPECT_EQ(kept("7", 1), kept("7", 1));
  EXPECT_NE(kept("7", 1), kept("8", 1));
  EXPECT_NE(kept("7", 1), kept("7", 2));
  const auto both = kept("7", 1);
  EXPECT_FALSE(std::equal(both.begin(), both.begin() + 60, both.begin() + 60)) << "heads agree";
}

}  // namespace
}  // namespace qaq
