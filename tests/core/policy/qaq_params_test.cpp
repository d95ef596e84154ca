#include "core/policy/qaq_params.h"

#include <functional>
#include <gtest/gtest.h>
#include <limits>

#include "core/base/error.h"

namespace qaq {
namespace {

// The place that is refused, or "" where nothing is.
std::string refused_place(const std::function<void(QaqParams&)>& change) {
  QaqParams params;
  change(params);
  try {
    validate(params);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_FALSE(error.text().cure.empty());
    return error.text().place;
  }
  return "";
}

TEST(QaqParams, DefaultsAreValid) {
  EXPECT_EQ(refused_place([](QaqParams&) {}), "");
}

TEST(QaqParams, BitLimitsMustNotCross) {
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.n_bits_min = 9; }), "key.n_bits_min");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.value.n_bits_max = 0; }), "value.n_bits_min");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.n_bits_min = p.key.n_bits_max = 8; }), "");
}

TEST(QaqParams, NormalHasNoErrorBound) {
  EXPECT_EQ(refused_place([](QaqParams& p) { p.value.method = Method::normal; }), "value.method");
  EXPECT_EQ(refused_place([](QaqParams& p) {
              p.value.method = Method::normal;
              p.value.use_attentions = false;
            }),
            "");
}

TEST(QaqParams, WhatIsNotReadIsNotRefused) {
  EXPECT_EQ(refused_place([](QaqParams& p) {
              p.key.level = Level::no_quantization;
              p.key.n_bits_min = 9;
              p.key.method = Method::normal;
            }),
            "");
  EXPECT_EQ(refused_place([](QaqParams& p) {
              p.key.use_attentions = false;
              p.key.n_bits_min = 9;
            }),
            "");
}

TEST(QaqParams, RangesHoldForStructsToo) {
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.outliers_ratio = 1; }), "key.outliers_ratio");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.n_bits_max = 17; }), "key.n_bits_max");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.value.last_n_attentions = 0; }),
            "value.last_n_attentions");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.q_norm = 0; }), "key.q_norm");
  EXPECT_EQ(refused_place([](QaqParams& p) {
              p.value.target_quantization_error = std::numeric_limits<double>::quiet_NaN();
            }),
            "value.target_quantization_error");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.dtype_bits = 24; }), "dtype_bits");
}

TEST(QaqParams, EachVariantHasItsRangeRule) {
  QaqSideParams side;
  EXPECT_EQ(range_rule_of(side), RangeRule::mean_centred);
  side.variant = Variant::paper;
  EXPECT_EQ(range_rule_of(side), RangeRule::midpoint);
  side.variant = Variant::bound;
  EXPECT_EQ(range_rule_of(side), RangeRule::midpoint);
  side.range_rule = RangeChoice::minmax;
  EXPECT_EQ(range_rule_of(side), RangeRule::minmax);
  side.range_rule = RangeChoice::mean_centred;
  EXPECT_EQ(range_rule_of(side), RangeRule::mean_centred);
  side.variant = Variant::reference;
  side.range_rule = RangeChoice::midpoint;
  EXPECT_EQ(range_rule_of(side), RangeRule::midpoint);
}

TEST(QaqParams, NormalHasNoRangeRule) {
  const auto refused = [](RangeChoice choice) {
    return refused_place([choice](QaqParams& p) {
      p.key.method = Method::normal;
      p.key.use_attentions = false;
      p.key.range_rule = choice;
    });
  };
  EXPECT_EQ(refused(RangeChoice::midpoint), "key.range_rule");
  EXPECT_EQ(refused(RangeChoice::automatic), "");
}

TEST(QaqParams, MeasuredNeedsAVariance) {
  const auto refused = [](Variant variant) {
    return refused_place([variant](QaqParams& p) {
      p.value.bits_rule = BitsRule::measured;
      p.value.variant = variant;
    });
  };
  EXPECT_EQ(refused(Variant::reference), "value.bits_rule");
  EXPECT_EQ(refused(Variant::paper), "");
  EXPECT_EQ(refused(Variant::bound), "");
}

TEST(QaqParams, NewParametersHaveRanges) {
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.v_max = 0; }), "key.v_max");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.q_norm_quantile = 1.5; }),
            "key.q_norm_quantile");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.value.horizon_tokens = -1; }),
            "value.horizon_tokens");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.q_norm = RealOrAuto::automatic(); }), "");
}

TEST(QaqParams, ExtensionsThatContradictThemselvesAreRefused) {
  const auto adaptive = [](QaqParams& p) { p.key.window_rule = WindowRule::adaptive; };
  EXPECT_EQ(refused_place(adaptive), "");
  EXPECT_EQ(refused_place([&](QaqParams& p) {
              adaptive(p);
              p.key.sensitivity = Sensitivity::ema;
            }),
            "key.window_rule");
  EXPECT_EQ(refused_place([&](QaqParams& p) {
              adaptive(p);
              p.key.adaptive = {.n_min = 4, .n_max = 3};
            }),
            "key.n_min");
  EXPECT_EQ(refused_place([&](QaqParams& p) {
              adaptive(p);
              p.key.adaptive = {.hi = 0.1, .lo = 0.2};
            }),
            "key.lo");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.value.beta = 1; }), "value.beta");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.head_stride = 0; }), "head_stride");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.block_size = 0; }), "block_size");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.eviction.factor = -1; }), "evict_factor");
  EXPECT_EQ(
      refused_place([](QaqParams& p) { p.eviction = {.factor = 0.1, .mode = EvictMode::offload}; }),
      "evict_mode");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.eviction.mode = EvictMode::offload; }), "")
      << "nothing is evicted";
}

}  // namespace
}  // namespace qaq
