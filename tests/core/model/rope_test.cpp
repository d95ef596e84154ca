// Frequencies held against tests/data/rope (made by transformers).
#include "core/model/rope.h"

#include <cmath>
#include <gtest/gtest.h>

#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;

// By hand: core/model reads no files. data/models reads the same keys from config.json.
RopeSpec spec_of(const json& reference) {
  const json& scaling = reference.at("rope_scaling");
  RopeSpec rope;
  rope.kind = rope_kind_named(scaling.at("rope_type").get<std::string>()).value();
  rope.theta = reference.at("rope_theta");
  rope.n_rotary_dim = reference.at("head_dim");
  rope.factor = scaling.value("factor", 1.0);
  rope.original_context =
      scaling.value("original_max_position_embeddings",
                    reference.at("max_position_embeddings").get<std::int64_t>());
  rope.low_freq_factor = scaling.value("low_freq_factor", rope.low_freq_factor);
  rope.high_freq_factor = scaling.value("high_freq_factor", rope.high_freq_factor);
  rope.beta_fast = scaling.value("beta_fast", rope.beta_fast);
  rope.beta_slow = scaling.value("beta_slow", rope.beta_slow);
  rope.truncate = scaling.value("truncate", rope.truncate);
  return rope;
}

TEST(Rope, FrequenciesOfEveryKindAreThoseOfTransformers) {
  const json reference = test::test_data_json("rope/rope.json");
  ASSERT_GE(reference.at("frequencies").size(), 16u);
  double worst = 0;
  for (const json& each : reference.at("frequencies")) {
    SCOPED_TRACE(each.at("rope_scaling").dump());
    const auto expected = each.at("inv_freq").get<std::vector<double>>();
    const auto ours = rope_frequencies(spec_of(each), each.at("n_tokens"));
    ASSERT_EQ(ours.size(), expected.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_NEAR(ours[i], expected[i], 1e-6 * expected[i]) << "pair " << i;
      worst = std::max(worst, std::abs(ours[i] / expected[i] - 1.0));
    }
  }
  std::printf("  largest relative deviation %.1e\n", worst);
}

TEST(Rope, YarnAttentionFactorsAreThoseOfTransformers) {
  const json reference = test::test_data_json("rope/rope.json");
  for (const json& each : reference.at("frequencies")) {
    const json& scaling = each.at("rope_scaling");
    if (scaling.at("rope_type") != "yarn" || scaling.contains("attention_factor")) continue;
    const double expected = each.at("attention_factor");
    EXPECT_NEAR(yarn_attention_factor(scaling.at("factor"), scaling.value("mscale", 0.0),
                                      scaling.value("mscale_all_dim", 0.0)),
                expected, 1e-12 * expected)
        << scaling;
  }
}

TEST(Rope, DynamicGrowsBeyondTheOriginalContextAlone) {
  const RopeSpec rope{
      .kind = RopeKind::dynamic, .n_rotary_dim = 16, .factor = 2.0, .original_context = 100};
  const RopeSpec standard{.n_rotary_dim = 16};
  EXPECT_EQ(rope_frequencies(rope, 1), rope_frequencies(standard, 1));
  EXPECT_EQ(rope_frequencies(rope, 100), rope_frequencies(standard, 100));
  // theta times 2 - 1 + 2/100 to the power 16/14.
  EXPECT_NEAR(rope_frequencies(rope, 101)[1],
              std::pow(10000.0 * std::pow(1.02, 16.0 / 14.0), -2.0 / 16.0), 1e-12);
}

TEST(Rope, DivisorsDivideEachFrequency) {
  const RopeSpec standard{.n_rotary_dim = 4};
  RopeSpec divided = standard;
  divided.divisors = {2.0f, 8.0f};
  const auto plain = rope_frequencies(standard, 1), ours = rope_frequencies(divided, 1);
  EXPECT_EQ(ours, (std::vector<double>{plain[0] / 2, plain[1] / 8}));
}

TEST(Rope, KindsHaveTheNamesOfConfigJson) {
  for (const RopeKind kind : kRopeKinds) EXPECT_EQ(rope_kind_named(name_of(kind)), kind);
  EXPECT_EQ(name_of(RopeKind::standard), "default");
  EXPECT_FALSE(rope_kind_named("longrope").has_value());
}

}  // namespace
}  // namespace qaq
