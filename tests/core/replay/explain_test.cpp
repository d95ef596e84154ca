// What explains a cell's bits must be what gave them: the micro-examples 7 and 8 of the
// mathematics, section 2.9, and every cell of a replay under every variant.
#include "core/replay/explain.h"

#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

// One layer and head; keys and values are the same tokens.
MemoryCapture example(const std::vector<std::vector<float>>& tokens,
                      const std::vector<std::vector<float>>& attention) {
  const auto n = static_cast<std::int64_t>(tokens.size());
  const SyntheticShape shape{
      .n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = n, .head_dim = 2};
  CaptureInfo info = synthetic_info(shape);
  info.has_queries = false;
  NdArray<float, 3> cache({1, n, 2}), scores({1, n, n});
  for (std::int64_t t = 0; t < n; ++t) {
    std::copy_n(tokens[static_cast<std::size_t>(t)].data(), 2, cache.sub(0, t).data());
    std::copy_n(attention[static_cast<std::size_t>(t)].data(), n, scores.sub(0, t).data());
  }
  MemoryCapture::Arrays arrays;
  arrays.key.push_back(cache.copy());
  arrays.value.push_back(std::move(cache));
  arrays.attention.push_back(std::move(scores));
  return {std::move(info), std::move(arrays)};
}

ReplayOptions bits_0_to_8(double e, int n) {
  ReplayOptions options;
  for (QaqSideParams* side : {&options.params.key, &options.params.value}) {
    side->outliers_ratio = 0;
    side->n_bits_min = 0;
    side->n_bits_max = 8;
    side->target_quantization_error = e;
    side->last_n_attentions = n;
  }
  return options;
}

const BitStep& step_named(const CellExplanation& x, const std::string& symbol) {
  for (const BitStep& step : x.bits.steps) {
    if (step.symbol == symbol) return step;
  }
  throw std::logic_error("no step " + symbol);
}

const std::vector<std::vector<float>> kRows{
    {1, 0, 0, 0}, {.5, .5, 0, 0}, {.25, .25, .5, 0}, {.7f, .01f, .04f, .25}};

TEST(Explain, Example7) {
  const MemoryCapture capture = example({{0, 3}, {0, 3}, {0, 3}, {0, 3}}, kRows);
  const std::vector<double> max_error{.24744, 17.3205, 4.33013, .69282};
  const std::vector<double> before{2.8201, .1198, .4291, 1.6622};
  const std::vector<int> bits{3, 1, 1, 2};
  for (std::size_t t = 0; t < 4; ++t) {
    const CellExplanation x = explain_cell(capture, bits_0_to_8(0.1, 1),
                                           {CacheSide::value, 0, 0, static_cast<std::int64_t>(t)});
    const BitStep& error = step_named(x, "max_error");
    EXPECT_NEAR(error.value, max_error[t], 2e-5 * max_error[t]);
    EXPECT_EQ(error.formula(), "sqrt(12 / T) * e / S_u");
    EXPECT_NEAR(x.bits.before_rounding, before[t], 6e-5);
    EXPECT_EQ(x.bits.choice.wanted, bits[t]);
    EXPECT_EQ(x.bits.choice.n_bits, bits[t]);
    EXPECT_FALSE(x.bits.choice.forced);
    EXPECT_EQ(x.first_forced, 4);
  }
  const CellExplanation first =
      explain_cell(capture, bits_0_to_8(0.1, 1), {CacheSide::value, 0, 0, 0});
  EXPECT_EQ(step_named(first, "max_error").numbers(), "sqrt(12 / 4) * 0.1 / 0.7");
  // x' of 0 and 3 at 3 bits: 0 and 2.625.
  EXPECT_NEAR(first.rms_error, 0.375 / std::sqrt(2), 1e-6);
  const CellExplanation forced =
      explain_cell(capture, bits_0_to_8(0.1, 2), {CacheSide::value, 0, 0, 3});
  EXPECT_TRUE(forced.bits.choice.forced);
  EXPECT_EQ(forced.bits.choice.wanted, 2);
  EXPECT_EQ(forced.bits.choice.n_bits, 8);
  EXPECT_EQ(forced.first_forced, 3);
}

TEST(Explain, Example8) {
  const MemoryCapture capture = example({{0, 1}, {0, 4}, {0, 16}, {0, 64}}, kRows);
  const std::vector<double> before{3.5810, 5.4877, 7.4634, 9.4572};
  const std::vector<int> bits{4, 6, 8, 8};
  for (std::size_t t = 0; t < 4; ++t) {
    const CellExplanation x = explain_cell(capture, bits_0_to_8(0.05, 1),
                                           {CacheSide::key, 0, 0, static_cast<std::int64_t>(t)});
    EXPECT_NEAR(step_named(x, "max_error").value, 0.04558936, 5e-9);
    EXPECT_EQ(step_named(x, "max_error").numbers(),
              "sqrt(12 / 300 * ln(4^3 / (4 - 1) * 0.05^2 + 1))");
    EXPECT_NEAR(x.bits.before_rounding, before[t], 6e-5);
    EXPECT_EQ(x.bits.choice.n_bits, bits[t]);
    EXPECT_EQ(x.bits.choice.clamp, t < 3 ? BitChoice::Clamp::none : BitChoice::Clamp::max);
  }
}

// Settings that differ in every step of the explanation.
std::vector<ReplayOptions> all_settings() {
  std::vector<ReplayOptions> out;
  for (const Variant variant : {Variant::reference, Variant::paper, Variant::bound}) {
    for (const BoundTarget target : {BoundTarget::row, BoundTarget::entry, BoundTarget::output}) {
      for (const Level level : {Level::token, Level::layer, Level::head}) {
        ReplayOptions options = bits_0_to_8(0.07, 3);
        options.prefix = 20;
        options.params.key.bound_target = target;
        for (QaqSideParams* side : {&options.params.key, &options.params.value}) {
          side->variant = variant;
          side->level = level;
          side->outliers_ratio = 0.1;
          if (target == BoundTarget::entry) side->symmetric = true;
          if (target == BoundTarget::output) side->horizon_tokens = 9;
          if (variant != Variant::reference && level == Level::layer) {
            side->bits_rule = BitsRule::measured;
          }
        }
        if (variant != Variant::reference) options.params.key.q_norm = RealOrAuto::automatic();
        out.push_back(options);
      }
    }
  }
  ReplayOptions fixed = bits_0_to_8(1, 3);
  fixed.params.key.use_attentions = fixed.params.value.use_attentions = false;
  fixed.params.value.method = Method::normal;
  out.push_back(fixed);
  return out;
}

TEST(Explain, AgreesWithTheReplayInEveryCell) {
  const MemoryCapture capture = synthetic_capture();
  for (const ReplayOptions& options : all_settings()) {
    const auto result = replay(capture, options);
    for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
      const CacheReplay& cache = side == CacheSide::key ? result->key : result->value;
      for (const std::int64_t token : {0, 7, 17, 18, 19}) {
        const CellAddress cell{side, 1, 1, token};
        const CellExplanation x = explain_cell(capture, options, cell);
        EXPECT_EQ(x.bits.choice.n_bits, cache.bits(1, 1, token));
        const double error = cache.error(1, 1, token);
        EXPECT_NEAR(x.rms_error * x.rms_error, error, 1e-6 * error);
        if (!x.params.use_attentions) continue;
        EXPECT_EQ(x.bits.choice.forced, token >= 18);
        if (x.params.bits_rule == BitsRule::formula) {
          EXPECT_EQ(std::ceil(x.bits.before_rounding - 1e-5), x.bits.choice.wanted);
        }
      }
    }
  }
}

TEST(Explain, TheFormulasNumbersGiveItsValue) {
  // Computed here once more, in double, from the values of the steps before.
  const MemoryCapture capture = synthetic_capture();
  const auto value_of = [&](const ReplayOptions& options, CacheSide side, const char* symbol) {
    return step_named(explain_cell(capture, options, {side, 0, 1, 5}), symbol).value;
  };
  ReplayOptions options = bits_0_to_8(0.07, 3);
  options.params.key.variant = options.params.value.variant = Variant::bound;
  options.params.key.horizon_tokens = 6;
  const auto key = [&](const char* symbol) { return value_of(options, CacheSide::key, symbol); };
  EXPECT_EQ(key("T_vis"), 30);
  const double m = key("M_u"), s = key("S_u");
  EXPECT_NEAR(m, s < 0.5 ? s * (1 - s) : 0.25, 1e-6);
  const double v = 0.0049 / (2 * key("kappa") * 30 * m * m);
  EXPECT_NEAR(key("v"), v, 1e-5 * v);
  EXPECT_NEAR(key("sigma^2"), 8 / 300.0 * std::min(v, 0.25), 1e-5 * v);
  EXPECT_NEAR(key("step"), std::sqrt(12 * key("sigma^2")), 1e-6);
  EXPECT_NEAR(key("b"), std::log2(key("range") / key("step")), 1e-6);

  options.params.key.bound_target = BoundTarget::output;
  const double out = 8 * 0.0049 / (30 * s * s * key("d_u"));
  EXPECT_NEAR(key("v"), out, 1e-5 * out);
  options.params.key.bound_target = BoundTarget::entry;
  EXPECT_NEAR(key("v"), 8 * 0.0049 / key("kappa"), 1e-6);

  options.params.key.variant = Variant::paper;
  EXPECT_NEAR(key("sigma^2"), std::log(24.0 * 24 * 24 / 23 * 0.0049 + 1) / 300, 1e-8);
  const double score = value_of(options, CacheSide::value, "S_u");
  EXPECT_NEAR(value_of(options, CacheSide::value, "sigma^2"), 0.0049 / (24 * score * score),
              1e-5 * 0.0049 / (24 * score * score));
}

TEST(Explain, SaysWhenTheCapActs) {
  const MemoryCapture capture = synthetic_capture();
  ReplayOptions options = bits_0_to_8(1e3, 3);
  options.params.key.variant = Variant::bound;
  const CellExplanation x = explain_cell(capture, options, {CacheSide::key, 0, 1, 5});
  EXPECT_EQ(step_named(x, "sigma^2").formula(), "D / q_norm * v_max, as v is above v_max");
  EXPECT_NEAR(step_named(x, "sigma^2").value, 8 / 300.0 * 0.25, 1e-8);
}

TEST(Explain, WhatIsLeftExactSaysWhy) {
  const MemoryCapture capture = synthetic_capture();
  ReplayOptions options = bits_0_to_8(1, 3);
  options.prefix = 10;
  EXPECT_EQ(explain_cell(capture, options, {CacheSide::key, 0, 0, 9}).why_exact, "");
  EXPECT_EQ(explain_cell(capture, options, {CacheSide::key, 0, 0, 10}).why_exact,
            "the token lies behind the prefix of 10 tokens");
  options.params.key.level = Level::no_quantization;
  EXPECT_EQ(explain_cell(capture, options, {CacheSide::key, 0, 0, 9}).why_exact,
            "level is no-quantization");
}

TEST(Explain, ALayerIsTheModelsNumber) {
  CaptureInfo info = synthetic_info({.n_layers = 4});
  info.layers = {2, 3, 4, 14};
  info.shape.n_layers = 20;
  const MemoryCapture capture(std::move(info), synthetic_arrays({.n_layers = 4}, 1));
  const auto plain = synthetic_capture({.n_layers = 4});
  const CellExplanation x = explain_cell(capture, bits_0_to_8(1, 3), {CacheSide::key, 14, 1, 3});
  EXPECT_EQ(x.stats.mean,
            explain_cell(plain, bits_0_to_8(1, 3), {CacheSide::key, 3, 1, 3}).stats.mean);
  const auto refusal = [&](const CellAddress& cell) {
    try {
      explain_cell(capture, bits_0_to_8(1, 3), cell);
      return std::string("taken");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return std::string(error.what());
    }
  };
  EXPECT_EQ(
      refusal({CacheSide::key, 5, 0, 0}),
      "--cell: layer 5 was not captured; give the model's number of a captured layer: 2-4, 14");
  EXPECT_EQ(refusal({CacheSide::key, 2, 2, 0}), "--cell: KV head 2 is out of range; give 0 to 1");
  EXPECT_EQ(refusal({CacheSide::value, 2, 0, -1}),
            "--cell: token -1 is out of range; give 0 to 23");
}

TEST(Explain, JsonHasNoInfinity) {
  // A token that nobody looked at may err without bounds.
  const MemoryCapture capture = example({{0, 3}, {0, 3}}, {{1, 0}, {1, 0}});
  ReplayOptions options = bits_0_to_8(1, 1);
  options.params.value.variant = Variant::paper;
  const auto json = explanation_json(explain_cell(capture, options, {CacheSide::value, 0, 0, 1}));
  EXPECT_EQ(json["bits"]["n_bits"], 0);
  EXPECT_EQ(json["bits"]["clamp"], "n_bits_min");
  EXPECT_TRUE(json["bits"]["before_rounding"].is_null());
  EXPECT_EQ(nlohmann::json::parse(json.dump())["unit"]["outliers_above"], nullptr);
}

}  // namespace
}  // namespace qaq::test
