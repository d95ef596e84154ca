// What holds for every variant, level, method and range rule, on random caches.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/policy/bit_rule.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/unit_errors.h"
#include "core/quant/unit_grid.h"
#include "core/replay/planner.h"
#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::uint32_t kSeed = 20240306;  // of every test here

constexpr std::array kVariants{Variant::reference, Variant::paper, Variant::bound};
constexpr std::array kLevels{Level::token, Level::layer, Level::head};
constexpr std::array kRanges{RangeChoice::mean_centred, RangeChoice::midpoint, RangeChoice::minmax};

struct Setting {
  QaqSideParams params;
  std::string name;
};

// Every variant with every level and range rule, each bound target and bits rule; and method
// normal, whose bits are fixed.
std::vector<Setting> settings() {
  std::vector<Setting> out;
  for (const Variant variant : kVariants) {
    for (const Level level : kLevels) {
      for (const RangeChoice range : kRanges) {
        for (const BoundTarget target :
             {BoundTarget::row, BoundTarget::entry, BoundTarget::output}) {
          for (const BitsRule rule : {BitsRule::formula, BitsRule::measured}) {
            if (variant == Variant::reference && rule == BitsRule::measured) continue;
            if (variant != Variant::bound && target != BoundTarget::row) continue;
            Setting s;
            s.params.variant = variant;
            s.params.level = level;
            s.params.range_rule = range;
            s.params.bound_target = target;
            s.params.bits_rule = rule;
            s.params.outliers_ratio = 0.1;
            s.params.n_bits_min = 0;
            s.params.n_bits_max = 16;
            s.params.last_n_attentions = 2;
            s.params.symmetric = out.size() % 2 == 1;
            s.params.store_scale = out.size() % 3 == 2 ? StoreScale::f16 : StoreScale::f32;
            if (out.size() % 4 != 3) s.params.q_norm = RealOrAuto::automatic();
            s.name = cat("setting ", out.size());
            for (const Parameter& p : list_parameters(QaqParams{s.params, s.params})) {
              if (p.section == "key") s.name += cat(" ", p.info.name, "=", value_text(p.value));
            }
            out.push_back(s);
          }
        }
      }
    }
    for (const Level level : kLevels) {
      Setting s;
      s.params.variant = variant;
      s.params.level = level;
      s.params.method = Method::normal;
      s.params.use_attentions = false;
      s.params.n_bits_uniform = 3;
      s.params.outliers_ratio = 0.1;
      s.name = cat("normal, variant ", static_cast<int>(variant));
      out.push_back(s);
    }
  }
  return out;
}

ReplayOptions options_of(QaqSideParams params, double e, std::int64_t prefix = 20) {
  params.target_quantization_error = e;
  ReplayOptions out;
  out.params.key = out.params.value = params;
  out.prefix = prefix;
  return out;
}

TEST(VariantProperties, BitsNeverRiseWithTheBudget) {
  const MemoryCapture capture = synthetic_capture({}, kSeed);
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    SharedReplay last = replay(capture, options_of(setting.params, 1e-4));
    for (double e = 1e-3; e < 200; e *= 7) {
      const SharedReplay next = replay(capture, options_of(setting.params, e));
      for (const auto& [before, after] :
           {std::pair(&last->key, &next->key), std::pair(&last->value, &next->value)}) {
        for (std::size_t i = 0; i < before->bits.span().size(); ++i) {
          ASSERT_GE(before->bits.span()[i], after->bits.span()[i]) << e;
        }
      }
      last = next;
    }
  }
}

TEST(VariantProperties, BitsNeverFallWithImportanceRangeNormOrDistance) {
  std::mt19937 engine(kSeed);
  const auto share = [&] { return static_cast<float>(engine()) / 4294967296.0f; };
  for (const Setting& setting : settings()) {
    if (setting.params.bits_rule == BitsRule::measured) continue;
    SCOPED_TRACE(setting.name);
    for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
      for (int i = 0; i < 200; ++i) {
        QaqSideParams params = setting.params;
        params.target_quantization_error = std::exp(10 * share() - 7);
        const BitRule rule = bit_rule(params, side, {1, 1, 50, 64});
        const UnitFacts facts{.range = 9 * share(),
                              .importance = share(),
                              .q_norm = 500 * share(),
                              .distance = 20 * share()};
        const auto grown = [&](float UnitFacts::*field) {
          UnitFacts more = facts;
          more.*field *= 1 + share();
          return rule.choose(more).n_bits;
        };
        const int n_bits = rule.choose(facts).n_bits;
        ASSERT_GE(grown(&UnitFacts::range), n_bits);
        ASSERT_GE(grown(&UnitFacts::importance), n_bits);
        ASSERT_GE(grown(&UnitFacts::q_norm), n_bits);
        ASSERT_GE(grown(&UnitFacts::distance), n_bits);
      }
    }
  }
}

TEST(VariantProperties, MoreBitsNeverRaiseTheMidpointsErrorBound) {
  std::mt19937 engine(kSeed);
  for (int i = 0; i < 50; ++i) {
    std::vector<float> values(1 + engine() % 90);
    for (float& x : values) x = static_cast<float>(engine() % 4001) / 100.0f - 13;
    std::vector<float> copy = values;
    const UnitStats stats = stats_of_unit(copy, {});
    const QuantizerSpec spec{.range_rule = RangeRule::midpoint};
    double last_bound = std::numeric_limits<double>::infinity();
    for (int n_bits = 0; n_bits <= kMaxBits; ++n_bits) {
      const double bound = unit_step(spec, stats, n_bits) / 2;
      ASSERT_LE(bound, last_bound);
      const UniformGrid grid = unit_grid(spec, stats, n_bits);
      for (const float x : values) {
        ASSERT_LE(std::abs(double{decode(grid, encode(grid, x))} - x), bound + 4e-6) << n_bits;
      }
      last_bound = bound;
    }
  }
}

TEST(VariantProperties, MeasuredBitsAreTheFewestThatKeepTheVariance) {
  const MemoryCapture capture = synthetic_capture({}, kSeed);
  std::int64_t n_kept = 0, n_unmet = 0;
  for (const Setting& setting : settings()) {
    if (setting.params.bits_rule != BitsRule::measured) continue;
    SCOPED_TRACE(setting.name);
    for (const double e : {0.003, 0.3}) {
      Planner planner(capture);
      const QaqPolicy policy(options_of(setting.params, e).params);
      for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
        const PolicyView view = planner.view(policy, side, 20, {});
        const BitRule rule = policy.rule(view);
        const UnitFactsTable facts = policy.facts(view);
        for (std::size_t unit = 0; unit < facts.size(); ++unit) {
          const UnitFacts own = facts[unit];
          const BitChoice choice = rule.choose(own);
          if (choice.forced) continue;
          if (choice.unmet) {
            ++n_unmet;
            ASSERT_EQ(choice.n_bits, 16);
            for (const float error : own.errors) ASSERT_GT(error, choice.error);
            continue;
          }
          ++n_kept;
          const auto n_bits = static_cast<std::size_t>(choice.n_bits);
          ASSERT_LE(own.errors[n_bits], choice.error);
          if (n_bits == 0) continue;
          ASSERT_GT(own.errors[n_bits - 1], choice.error);
        }
      }
    }
  }
  EXPECT_GT(n_kept, 1000);
  EXPECT_GT(n_unmet, 10) << "the mean-centred quantizer has units that no number of bits mends";
}

TEST(VariantProperties, OutliersComeOutAsTheyWentIn) {
  const MemoryCapture capture = synthetic_capture({}, kSeed);
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    const ReplayOptions options = options_of(setting.params, 3);
    const SharedReplay result = replay(capture, options);
    EXPECT_GT(result->key.n_outliers, 0);
    Planner planner(capture);
    const QaqPolicy policy(options.params);
    for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
      const CacheReplay& cache = side == CacheSide::key ? result->key : result->value;
      const PlannedCache planned = planner.plan(policy, side, 20, {});
      for (std::int64_t layer = 0; layer < 2; ++layer) {
        const auto exact = exact_layer(capture, side, layer);
        const auto values = quantized_layer(capture, planned, layer);
        for (std::int64_t head = 0; head < 2; ++head) {
          for (std::int64_t token = 0; token < 20; ++token) {
            for (std::int64_t d = 0; d < 8; ++d) {
              if ((cache.outliers(layer, head, token, 0) >> (7 - d) & 1) == 0) continue;
              const float before = exact->view()(head, token, d);
              const float after = values->view()(head, token, d);
              ASSERT_EQ(std::memcmp(&before, &after, sizeof before), 0);
            }
          }
        }
      }
    }
  }
}

TEST(VariantProperties, ThreadCountChangesNoByte) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 140}, kSeed);
  const auto bytes_of_errors = [](const CacheReplay& cache) {
    return std::string(reinterpret_cast<const char*>(cache.error.data()),
                       cache.error.span().size_bytes());
  };
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    const ReplayOptions options = options_of(setting.params, 0.1, 70);
    set_thread_count(1);
    const SharedReplay one = replay(capture, options);
    for (const int n_threads : {2, 3}) {
      set_thread_count(n_threads);
      const SharedReplay more = replay(capture, options);
      EXPECT_TRUE(std::ranges::equal(one->key.bits.span(), more->key.bits.span()));
      EXPECT_TRUE(std::ranges::equal(one->value.bits.span(), more->value.bits.span()));
      EXPECT_EQ(bytes_of_errors(one->key), bytes_of_errors(more->key));
      EXPECT_EQ(bytes_of_errors(one->value), bytes_of_errors(more->value));
      EXPECT_EQ(one->mean_attention_error, more->mean_attention_error);
      EXPECT_EQ(one->mean_output_error, more->mean_output_error);
    }
  }
  set_thread_count(0);
}

}  // namespace
}  // namespace qaq::test
