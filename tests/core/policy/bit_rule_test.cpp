// How bits follow from range and importance: the micro-examples 7, 8 and 10 of the mathematics,
// section 2.9, and the edges of section 2.4.
#include "core/policy/bit_rule.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "core/policy/qaq_policy.h"
#include "tests/support/quantized_cache.h"

namespace qaq::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A cache of one layer and head, and the attention rows that it got; quantized as one side.
struct Example {
  CacheSide side;
  std::vector<std::vector<float>> tokens;
  std::vector<std::vector<float>> attention{};

  QuantizedCache quantized(QaqSideParams params) const {
    params.outliers_ratio = 0;
    ReferenceConfig config;
    config.side = side;
    config.params.key.level = config.params.value.level = Level::no_quantization;
    (side == CacheSide::key ? config.params.key : config.params.value) = params;
    const auto n = static_cast<std::int64_t>(tokens.size());
    const auto n_rows = static_cast<std::int64_t>(attention.size());
    NdArray<float, 4> cache({1, 1, n, static_cast<std::int64_t>(tokens[0].size())});
    NdArray<float, 4> scores({1, 1, n_rows, n});
    for (std::int64_t t = 0; t < n; ++t) {
      std::copy(tokens[t].begin(), tokens[t].end(), cache.sub(0, 0, t).data());
    }
    for (std::int64_t row = 0; row < n_rows; ++row) {
      std::copy(attention[row].begin(), attention[row].end(), scores.sub(0, 0, row).data());
    }
    return quantize_cache(config, cache.view(), scores.view());
  }
  std::vector<int> bits(const QaqSideParams& params) const {
    const auto n_bits = quantized(params).plan.n_bits;
    return {n_bits.begin(), n_bits.end()};
  }
};

QaqSideParams bits_0_to_8(double e, int n) {
  QaqSideParams params;
  params.n_bits_min = 0;
  params.n_bits_max = 8;
  params.target_quantization_error = e;
  params.last_n_attentions = n;
  return params;
}

const Example kValues{CacheSide::value,
                      {{0, 3}, {0, 3}, {0, 3}, {0, 3}},
                      {{1, 0, 0, 0}, {.5, .5, 0, 0}, {.25, .25, .5, 0}, {.7f, .01f, .04f, .25}}};
const Example kKeys{CacheSide::key, {{0, 1}, {0, 4}, {0, 16}, {0, 64}}};

TEST(BitRule, Example7ValuesFollowTheWindowsMaximum) {
  const BitRule rule = reference_bit_rule(bits_0_to_8(0.1, 1), CacheSide::value, 4);
  const std::vector<std::pair<float, double>> errors{
      {.7f, .24744}, {.01f, 17.3205}, {.04f, 4.33013}, {.25f, .69282}};
  for (const auto& [score, error] : errors) {
    EXPECT_NEAR((1 / score) * rule.max_error, error, 2e-5 * error);
  }
  EXPECT_EQ(kValues.bits(bits_0_to_8(0.1, 1)), (std::vector<int>{3, 1, 1, 2}));
  EXPECT_EQ(kValues.bits(bits_0_to_8(0.1, 2)), (std::vector<int>{3, 2, 3, 8}));
  QaqSideParams params = bits_0_to_8(0.1, 3);
  params.n_bits_max = 6;
  EXPECT_EQ(kValues.bits(params), (std::vector<int>{3, 3, 6, 6}));

  const QuantizedCache cache = kValues.quantized(bits_0_to_8(0.1, 1));
  const std::vector<float> second{2.625, 1.5, 1.5, 2.25};
  for (std::int64_t t = 0; t < 4; ++t) EXPECT_EQ(cache.values(0, 0, t, 1), second[t]);
}

TEST(BitRule, Example8KeysFollowTheirRangeAlone) {
  const BitRule rule = reference_bit_rule(bits_0_to_8(0.05, 1), CacheSide::key, 4);
  EXPECT_NEAR(rule.max_error, 0.04558936, 5e-9);
  EXPECT_EQ(kKeys.bits(bits_0_to_8(0.05, 1)), (std::vector<int>{4, 6, 8, 8}));

  const QuantizedCache cache = kKeys.quantized(bits_0_to_8(0.05, 1));
  const std::vector<float> second{.9375, 3.9375, 15.9375, 63.75};
  for (std::int64_t t = 0; t < 4; ++t) EXPECT_EQ(cache.values(0, 0, t, 1), second[t]);
}

TEST(BitRule, Example10FormsTheSumInFloat32) {
  const Example example{CacheSide::value, {{0, 1e-4f}, {0, 1e-4f}}, {{1, 0}, {1, 1e-6f}}};
  EXPECT_EQ(example.bits(bits_0_to_8(30, 1)), (std::vector<int>{1, 0}));
}

TEST(BitRule, FixedBitsKnowNoClampAndNoForcedTokens) {
  QaqSideParams params = bits_0_to_8(1, 3);
  params.use_attentions = false;
  params.n_bits_uniform = 11;
  EXPECT_EQ(kKeys.bits(params), (std::vector<int>{11, 11, 11, 11}));
  EXPECT_EQ(kValues.bits(params), (std::vector<int>{11, 11, 11, 11}));
}

TEST(BitRule, NewestTokensGetTheMostBitsOnBothSides) {
  QaqSideParams params = bits_0_to_8(1e6, 3);
  params.q_norm = 1e-6;
  params.n_bits_min = 1;
  params.n_bits_max = 7;
  EXPECT_EQ(kKeys.bits(params), (std::vector<int>{1, 1, 7, 7}));
  EXPECT_EQ(kValues.bits(params), (std::vector<int>{1, 1, 7, 7}));
  params.last_n_attentions = 9;
  EXPECT_EQ(kKeys.bits(params), (std::vector<int>{7, 7, 7, 7})) << "fewer tokens than the window";
}

TEST(BitRule, TheOnlyKeyNeedsNoBits) {
  const Example one{CacheSide::key, {{0, 1}}};
  EXPECT_EQ(reference_bit_rule(bits_0_to_8(1, 1), CacheSide::key, 1).max_error, kInfinity);
  EXPECT_EQ(one.bits(bits_0_to_8(1, 1)), std::vector<int>{0});
  EXPECT_EQ(one.bits(bits_0_to_8(1, 2)), std::vector<int>{8}) << "then the forced rule";
}

TEST(BitRule, NoAttentionAndNoRangeGiveTheFewestBits) {
  const BitRule rule = reference_bit_rule(bits_0_to_8(1e-9, 1), CacheSide::value, 4);
  EXPECT_EQ(rule.n_bits(5, 0, 0), 0);
  EXPECT_EQ(rule.n_bits(0, 1, 0), 0);
  EXPECT_EQ(rule.n_bits(0, 0, 0), 0);
  EXPECT_EQ(rule.n_bits(5, 1, 0), 8);
}

TEST(BitRule, BitsFallWithTheBudgetAndRiseWithRangeAndImportance) {
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    int last = 99;
    for (double e = 1e-6; e < 1e6; e *= 1.7) {
      const int n = reference_bit_rule(bits_0_to_8(e, 1), side, 100).n_bits(3, 0.2f, 0);
      EXPECT_LE(n, last) << e;
      last = n;
    }
    const BitRule rule = reference_bit_rule(bits_0_to_8(0.1, 1), side, 100);
    for (int b = 0; b < 20; ++b) {
      const auto grown = static_cast<float>(1 << b);
      EXPECT_GE(rule.n_bits(grown, 0.2f, 0), rule.n_bits(grown / 2, 0.2f, 0));
      EXPECT_GE(rule.n_bits(1, 1e-6f * grown, 0), rule.n_bits(1, 1e-6f * grown / 2, 0));
    }
  }
}

// sigma^2 that `rule` allows a unit with these facts.
double variance(const BitRule& rule, float importance, float q_norm, float distance = 0) {
  return rule.choose({.range = 1, .importance = importance, .q_norm = q_norm, .distance = distance})
      .error;
}

QaqSideParams of_variant(Variant variant, double e, BoundTarget target = BoundTarget::row) {
  QaqSideParams params = bits_0_to_8(e, 1);
  params.variant = variant;
  params.bound_target = target;
  return params;
}

TEST(PaperRule, SigmaByHand) {
  const QaqSideParams params = of_variant(Variant::paper, 0.1);
  // ln(64 / 3 * 0.01 + 1) / 200.
  EXPECT_NEAR(variance(paper_bit_rule(params, CacheSide::key, 4), 0.9f, 200), 0.1933714 / 200,
              1e-9);
  // 0.01 / (4 * 0.25).
  EXPECT_NEAR(variance(paper_bit_rule(params, CacheSide::value, 4), 0.5f, 0), 0.01, 1e-9);
  EXPECT_EQ(variance(paper_bit_rule(params, CacheSide::value, 4), 0, 0), kInfinity);
  EXPECT_EQ(variance(paper_bit_rule(params, CacheSide::key, 1), 0, 200), kInfinity);
}

TEST(PaperRule, BitsAreTheLogarithmOfRangeOverTheStep) {
  QaqSideParams params = of_variant(Variant::paper, 0.1);
  params.n_bits_max = 16;
  const BitRule rule = paper_bit_rule(params, CacheSide::value, 4);
  // The step sqrt(12) * 0.1 at importance 1/2.
  const double step = std::sqrt(12) * 0.1;
  const auto bits = [&](double ratio) {
    return rule.choose({.range = static_cast<float>(ratio * step), .importance = 0.5f});
  };
  EXPECT_EQ(bits(1.01).n_bits, 1);
  EXPECT_EQ(bits(1.99).n_bits, 1);
  EXPECT_EQ(bits(2.01).n_bits, 2);
  EXPECT_EQ(bits(1000).n_bits, 10);
  EXPECT_EQ(bits(0.99).n_bits, 0);
  EXPECT_EQ(bits(0.2).wanted, -2) << "below 0 before the clamp";
  EXPECT_EQ(bits(0.2).clamp, BitChoice::Clamp::min);
  EXPECT_EQ(bits(1e9).n_bits, 16);
  EXPECT_TRUE(bits(1e9).starved());
}

TEST(BoundRule, KappaAsMeasured) {
  // Section 4.1 states these to three decimals.
  const std::vector<std::pair<double, double>> stated{
      {0.01, 1.018}, {0.05, 1.091}, {0.1, 1.189}, {0.25, 1.530}, {0.5, 2.300}};
  for (const auto& [v, k] : stated) EXPECT_NEAR(kappa(v), k, 6e-4) << v;
  EXPECT_NEAR(kappa(1e-9), 1, 1e-6);
}

TEST(BoundRule, SigmaByHand) {
  const CacheShape shape{1, 1, 100, 64};
  const double k = kappa(0.25);
  const auto key = [&](BoundTarget target, double e, float s, float distance = 0) {
    return variance(bound_bit_rule(of_variant(Variant::bound, e, target), CacheSide::key, shape), s,
                    300, distance);
  };
  const double d_over_q = 64.0 / 300;
  // M = 0.2 * 0.8, and 1/4 from S = 1/2 on.
  EXPECT_NEAR(key(BoundTarget::row, 0.01, 0.2f), d_over_q * 1e-4 / (2 * k * 100 * 0.16 * 0.16),
              1e-9);
  EXPECT_NEAR(key(BoundTarget::row, 0.01, 0.9f), d_over_q * 1e-4 / (2 * k * 100 / 16.0), 1e-9);
  EXPECT_NEAR(key(BoundTarget::row, 0.01, 0), d_over_q * 0.25, 1e-8) << "capped at v_max";
  EXPECT_NEAR(key(BoundTarget::entry, 0.01, 0.2f), d_over_q * 8e-4 / k, 1e-8);
  EXPECT_NEAR(key(BoundTarget::entry, 1, 0.2f), d_over_q * 0.25, 1e-8);
  EXPECT_NEAR(key(BoundTarget::output, 0.01, 0.2f, 5), d_over_q * 64e-4 / (100 * 0.04 * 5), 1e-8);
  EXPECT_NEAR(key(BoundTarget::output, 0.01, 0, 5), d_over_q * 0.25, 1e-8);
  const QaqSideParams value = of_variant(Variant::bound, 0.01);
  EXPECT_NEAR(variance(bound_bit_rule(value, CacheSide::value, shape), 0.5f, 0),
              1e-4 / (100 * 0.25), 1e-12);
}

TEST(BoundRule, TheHorizonCountsAsCache) {
  QaqSideParams params = of_variant(Variant::bound, 0.01);
  params.horizon_tokens = 60;
  const auto sees = [&](CacheSide side, std::int64_t n_tokens) {
    return variance(bound_bit_rule(params, side, {1, 1, n_tokens, 64}), 0.3f, 300);
  };
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const double longer = sees(side, 40);
    params.horizon_tokens = 0;
    EXPECT_EQ(longer, sees(side, 100));
    params.horizon_tokens = 60;
  }
}

TEST(BoundRule, MeasuredTakesTheFewestBitsThatKeepTheVariance) {
  QaqSideParams params = of_variant(Variant::bound, 0.1);
  params.bits_rule = BitsRule::measured;
  params.n_bits_min = 1;
  params.n_bits_max = 6;
  const BitRule rule = bound_bit_rule(params, CacheSide::value, {1, 1, 4, 8});
  // At importance 1/2 the variance is 0.01.
  std::vector<float> errors(17, 1.0f);
  const auto choose = [&] {
    return rule.choose({.range = 1, .importance = 0.5f, .errors = errors});
  };
  EXPECT_TRUE(choose().unmet);
  EXPECT_EQ(choose().n_bits, 6);
  errors[9] = 0.005f;
  EXPECT_FALSE(choose().unmet);
  EXPECT_EQ(choose().wanted, 9);
  EXPECT_EQ(choose().n_bits, 6);
  EXPECT_TRUE(choose().starved());
  errors[3] = 0.00999f;
  EXPECT_EQ(choose().n_bits, 3);
  errors[0] = 0;
  EXPECT_EQ(choose().n_bits, 3) << "below n_bits_min nothing is looked for";
}

TEST(BitRule, AutoQueryNormIsTheUnitsOwn) {
  QaqSideParams params = bits_0_to_8(0.05, 1);
  params.q_norm = 75;
  const float fixed = reference_bit_rule(params, CacheSide::key, 50).max_error;
  params.q_norm = RealOrAuto::automatic();
  const BitRule rule = reference_bit_rule(params, CacheSide::key, 50);
  EXPECT_FLOAT_EQ(rule.choose({.range = 1, .q_norm = 75}).error, fixed);
}

TEST(BitRule, SaysWhatDecided) {
  QaqSideParams params = bits_0_to_8(0.1, 2);
  params.n_bits_min = 2;
  params.n_bits_max = 4;
  const BitRule rule = reference_bit_rule(params, CacheSide::value, 4);
  const auto choice = [&](float range, float importance, std::int64_t token) {
    return rule.choose({.token = token, .range = range, .importance = importance});
  };
  EXPECT_EQ(choice(3, 0.01f, 0).clamp, BitChoice::Clamp::min);
  EXPECT_EQ(choice(3, 0.01f, 0).wanted, 1);
  EXPECT_EQ(choice(3, 0.7f, 0).clamp, BitChoice::Clamp::none);
  EXPECT_EQ(choice(300, 0.7f, 0).clamp, BitChoice::Clamp::max);
  EXPECT_FALSE(choice(3, 0.7f, 2).forced);
  EXPECT_TRUE(choice(3, 0.01f, 3).forced);
  EXPECT_EQ(choice(3, 0.01f, 3).n_bits, 4);
  EXPECT_EQ(choice(3, 0.01f, 3).wanted, 1);
  EXPECT_TRUE(choice(300, 0.7f, 3).starved());
}

}  // namespace
}  // namespace qaq::test
