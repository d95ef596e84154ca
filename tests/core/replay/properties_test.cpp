// What holds for every variant, level, method, range rule and share of outliers, on random caches:
// one table of cases, one test a property.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <random>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/policy/bit_rule.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/packed_bytes.h"
#include "core/quant/unit_grid.h"
#include "core/quant/unit_values.h"
#include "core/quant/unpacker.h"
#include "core/replay/derive_attention.h"
#include "core/replay/pack_cache.h"
#include "core/replay/replayer.h"
#include "core/replay/streaming.h"
#include "tests/support/streamed_plan.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::uint32_t kSeed = 20240306;  // of every test here

constexpr std::array kSides{CacheSide::key, CacheSide::value};

// Keys and values have the same parameters.
struct Case {
  QaqParams params;
  std::string name;

  const QaqSideParams& side() const { return params.key; }
};

constexpr double kBySigma = -1;  // in place of a share

// The product of everything that decides bits or codes, what is refused among it. Scales, places of
// outliers, the reducer and query norms go round, so that they meet everything too.
std::vector<Case> cases() {
  std::vector<Case> out;
  const auto add = [&](QaqSideParams side) {
    const std::size_t i = out.size();
    side.n_bits_min = 0;
    side.n_bits_max = 16;
    side.n_bits_uniform = static_cast<int>(i % 17);
    side.last_n_attentions = 3;
    side.target_quantization_error = 0.3;
    side.store_scale = i % 3 == 2 ? StoreScale::f16 : StoreScale::f32;
    if (i % 4 != 3) side.q_norm = RealOrAuto::automatic();
    QaqParams params{.key = side, .value = side};
    params.gqa_reduce = static_cast<GqaReduce>(i % 5 % 3);
    params.outlier_index = static_cast<OutlierIndex>(i % 7 % 3);
    std::string name = cat("case ", i);
    for (const Parameter& p : list_parameters(params)) {
      if (p.section != "value") name += cat(" ", p.info.name, "=", value_text(p.value));
    }
    out.push_back({params, name});
  };
  for (const Variant variant : {Variant::reference, Variant::paper, Variant::bound}) {
    for (const Level level : {Level::token, Level::layer, Level::head}) {
      for (const Method method : {Method::uniform, Method::normal}) {
        for (const RangeChoice range : {RangeChoice::automatic, RangeChoice::mean_centred,
                                        RangeChoice::midpoint, RangeChoice::minmax}) {
          for (const double outliers : {0.0, 0.01, 0.75, kBySigma}) {
            for (const bool symmetric : {false, true}) {
              QaqSideParams side{.variant = variant,
                                 .level = level,
                                 .symmetric = symmetric,
                                 .method = method,
                                 .range_rule = range,
                                 .use_attentions = false};
              if (outliers == kBySigma) {
                side.outlier_rule = OutlierRule::nsigma;
                side.n_sigma = 1.2;
                side.max_outliers = 0.2;
              } else {
                side.outliers_ratio = outliers;
              }
              add(side);
              side.use_attentions = true;
              for (const BitsRule rule : {BitsRule::formula, BitsRule::measured}) {
                for (const BoundTarget target :
                     {BoundTarget::row, BoundTarget::entry, BoundTarget::output}) {
                  // Only variant bound has targets.
                  if (variant != Variant::bound && target != BoundTarget::row) continue;
                  side.bits_rule = rule;
                  side.bound_target = target;
                  add(side);
                }
              }
            }
          }
        }
      }
    }
  }
  return out;
}

// What contradicts itself whatever it is applied to.
bool contradicts_itself(const QaqSideParams& side) {
  if (side.method == Method::normal) {
    return side.use_attentions || side.range_rule != RangeChoice::automatic;
  }
  return side.use_attentions && side.variant == Variant::reference &&
         side.bits_rule == BitsRule::measured;
}

// A random cache, with what is awkward in it: tokens that are constant or 0 in every unit, one with
// the largest of float16's numbers, one with numbers that have no full precision.
MemoryCapture awkward_capture(const SyntheticShape& shape) {
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, kSeed);
  for (auto* kind : {&arrays.key, &arrays.value}) {
    for (NdArray<float, 3>& layer : *kind) {
      for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
        for (std::int64_t d = 0; d < shape.head_dim; ++d) {
          layer(head, 1, d) = 0.75f;
          layer(head, 2, d) = 0;
          layer(head, 3, d) *= 1e-40f;
          if (kind == &arrays.value && d % 3 == 0) layer(head, 4, d) = d % 2 == 0 ? 65504 : -65504;
        }
      }
    }
  }
  const CaptureInfo info = synthetic_info(shape);
  for (std::size_t layer = 0; layer < arrays.key.size(); ++layer) {
    arrays.attention[layer] = derive_attention(arrays.query[layer].view(), arrays.key[layer].view(),
                                               info.query_token, {});
  }
  return {info, std::move(arrays)};
}

constexpr std::array kShapes{
    SyntheticShape{.n_layers = 2, .n_heads = 4, .n_kv_heads = 2, .n_tokens = 24, .head_dim = 8},
    SyntheticShape{.n_layers = 1, .n_heads = 3, .n_kv_heads = 1, .n_tokens = 9, .head_dim = 7},
    SyntheticShape{.n_layers = 3, .n_heads = 2, .n_kv_heads = 2, .n_tokens = 6, .head_dim = 1},
    SyntheticShape{.n_layers = 2, .n_heads = 2, .n_kv_heads = 1, .n_tokens = 11, .head_dim = 33}};

// Whether outliers_ratio leaves none of a unit's N values, which is refused where N > 1.
bool keeps_nothing(const Case& c, const SyntheticShape& shape) {
  if (c.side().outlier_rule == OutlierRule::nsigma || c.side().outliers_ratio == 0) return false;
  const std::int64_t n =
      UnitLayout(c.side().level, {shape.n_layers, shape.n_kv_heads, 1, shape.head_dim}).unit_size();
  const double half = c.side().outliers_ratio / 2, size = static_cast<double>(n);
  return n > 1 && std::ceil(half * size) >= std::floor((1 - half) * size);
}

// Runs `property` on every case that is taken, on every capture.
void for_each_case(const std::function<void(const MemoryCapture&, const Case&)>& property) {
  const std::vector<Case> all = cases();
  for (const SyntheticShape& shape : kShapes) {
    const MemoryCapture capture = awkward_capture(shape);
    for (const Case& c : all) {
      if (contradicts_itself(c.side()) || keeps_nothing(c, shape)) continue;
      SCOPED_TRACE(cat("D ", shape.head_dim, ", ", c.name));
      property(capture, c);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

const PlannedCache& side_of(const PlannedCaches& plans, CacheSide side) {
  return side == CacheSide::key ? plans.key : plans.value;
}
const CacheReplay& side_of(const ReplayResult& result, CacheSide side) {
  return side == CacheSide::key ? result.key : result.value;
}

template <class T>
bool same_bytes(std::span<const T> a, std::span<const T> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST(Properties, WhatMakesNoSenseIsRefusedAndAllElseTaken) {
  std::int64_t n_taken = 0, n_refused = 0;
  for (const SyntheticShape& shape : kShapes) {
    const MemoryCapture capture = awkward_capture(shape);
    for (const Case& c : cases()) {
      SCOPED_TRACE(cat("D ", shape.head_dim, ", ", c.name));
      bool refused = false;
      try {
        Replayer(capture).bits({c.params});
      } catch (const Error& error) {
        refused = true;
        EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
        EXPECT_FALSE(error.text().cure.empty()) << error.what();
      }
      ASSERT_EQ(refused, contradicts_itself(c.side()) || keeps_nothing(c, shape));
      (refused ? n_refused : n_taken) += 1;
    }
  }
  EXPECT_GT(n_taken, 2000);
  EXPECT_GT(n_refused, 2000);
}

TEST(Properties, WhatIsUnpackedIsWhatWasQuantized) {
  for_each_case([](const MemoryCapture& capture, const Case& c) {
    Replayer replayer(capture);
    const SharedReplay result = replayer.bits({c.params});
    const PlannedCaches plans = replayer.plans({c.params});
    for (const CacheSide side : kSides) {
      const PackedCache packed = pack_cache(capture, side_of(plans, side), {});
      ASSERT_EQ(packed.bytes(), side_of(*result, side).packed);
      const Unpacker unpacker(packed);
      ASSERT_EQ(unpacker.index().n_outliers(), side_of(*result, side).n_outliers);
      for (std::int64_t layer = 0; layer < capture.info().n_captured_layers(); ++layer) {
        const auto quantized = quantized_layer(capture, side_of(plans, side), layer);
        NdArray<float, 3> values(quantized->shape(), NAN);
        unpacker.layer(layer, {values.view(), {}});
        ASSERT_TRUE(same_bytes<float>(values.span(), quantized->span())) << name_of(side);
      }
    }
  });
}

TEST(Properties, OutliersComeOutAsTheyWentIn) {
  std::int64_t n_outliers = 0;
  for_each_case([&](const MemoryCapture& capture, const Case& c) {
    Replayer replayer(capture);
    const SharedReplay result = replayer.bits({c.params});
    const PlannedCaches plans = replayer.plans({c.params});
    for (const CacheSide side : kSides) {
      const auto& masks = side_of(*result, side).outliers;
      std::int64_t n_marked = 0;
      for (std::int64_t layer = 0; layer < masks.shape(0); ++layer) {
        const auto exact = exact_layer(capture, side, layer);
        const auto values = quantized_layer(capture, side_of(plans, side), layer);
        for (std::int64_t head = 0; head < masks.shape(1); ++head) {
          for (std::int64_t token = 0; token < masks.shape(2); ++token) {
            for (std::int64_t d = 0; d < exact->shape(2); ++d) {
              if ((masks(layer, head, token, d / 8) >> (7 - d % 8) & 1) == 0) continue;
              ++n_marked;
              const float before = exact->view()(head, token, d);
              const float after = values->view()(head, token, d);
              ASSERT_EQ(std::memcmp(&before, &after, sizeof before), 0);
            }
          }
        }
      }
      ASSERT_EQ(n_marked, side_of(*result, side).n_outliers);
      n_outliers += n_marked;
    }
  });
  EXPECT_GT(n_outliers, 10000);
}

TEST(Properties, BitsNeverRiseWithTheTargetError) {
  std::int64_t n_falls = 0;
  for_each_case([&](const MemoryCapture& capture, const Case& c) {
    Replayer replayer(capture);
    SharedReplay last;
    for (const double e : {1e-4, 1e-2, 0.3, 3.0, 100.0}) {
      QaqParams params = c.params;
      params.key.target_quantization_error = params.value.target_quantization_error = e;
      const SharedReplay next = replayer.bits({params});
      for (const CacheSide side : kSides) {
        if (!last) continue;
        const auto before = side_of(*last, side).bits.span();
        const auto after = side_of(*next, side).bits.span();
        for (std::size_t i = 0; i < before.size(); ++i) {
          ASSERT_GE(before[i], after[i]) << name_of(side) << ", e " << e;
          n_falls += before[i] > after[i];
        }
        ASSERT_GE(side_of(*last, side).packed.total(), side_of(*next, side).packed.total());
      }
      last = next;
    }
  });
  EXPECT_GT(n_falls, 10000);
}

TEST(Properties, BitsNeverFallWithImportanceRangeNormOrDistance) {
  std::int64_t n_rises = 0;
  for_each_case([&](const MemoryCapture& capture, const Case& c) {
    Planner planner(capture);
    const QaqPolicy policy(c.params);
    for (const CacheSide side : kSides) {
      const PolicyView view = planner.view(policy, side, capture.info().n_tokens, {});
      const BitRule rule = policy.rule(view);
      const UnitFactsTable facts = policy.facts(view);
      for (std::size_t unit = 0; unit < facts.size(); ++unit) {
        const int n_bits = rule.choose(facts[unit]).n_bits;
        for (float UnitFacts::*field : {&UnitFacts::importance, &UnitFacts::range,
                                        &UnitFacts::q_norm, &UnitFacts::distance}) {
          for (const float factor : {1.5f, 8.0f}) {
            UnitFacts grown = facts[unit];
            grown.*field *= factor;
            const int more = rule.choose(grown).n_bits;
            ASSERT_GE(more, n_bits) << name_of(side) << ", unit " << unit;
            n_rises += more > n_bits;
          }
        }
      }
    }
  });
  EXPECT_GT(n_rises, 10000);
}

TEST(Properties, MoreBitsNeverRaiseTheMidpointsErrorBound) {
  for_each_case([](const MemoryCapture& capture, const Case& c) {
    // The grid depends on none of the variants, targets or rules.
    if (c.side().variant != Variant::reference || !c.side().use_attentions ||
        c.side().range_rule != RangeChoice::midpoint) {
      return;
    }
    Replayer replayer(capture);
    const PlannedCaches plans = replayer.plans({c.params});
    for (const CacheSide side : kSides) {
      const Plan& plan = side_of(plans, side).plan;
      QuantizerSpec spec = plan.quantizer;
      spec.store_scale = StoreScale::f32;  // rounding the scale moves the codes
      std::vector<SharedArray<float, 3>> held;
      std::vector<CacheLayer> layers;
      for (std::int64_t layer = 0; layer < capture.info().n_captured_layers(); ++layer) {
        held.push_back(exact_layer(capture, side, layer));
        layers.push_back(held.back()->view());
      }
      for_each_unit(plan.layout, 0, layers, [&](std::size_t unit, std::span<const float> values) {
        const UnitStats& stats = side_of(plans, side).stats[unit];
        double last = std::numeric_limits<double>::infinity();
        for (int n_bits = 0; n_bits <= kMaxBits; ++n_bits) {
          const double bound = double{unit_step(spec, stats, n_bits)} / 2;
          EXPECT_LE(bound, last);
          last = bound;
          const UniformGrid grid = unit_grid(spec, stats, n_bits);
          for (const float x : values) {
            if (stats.is_outlier(x)) continue;
            const double error = std::abs(double{decode(grid, encode(grid, x))} - x);
            // What float32 adds: a few steps of the unit's largest number, and where the scale is
            // so small that it lost digits, half of the smallest number for each code.
            const double rounding =
                4e-7 * std::max(std::abs(double{stats.min}), std::abs(double{stats.max})) +
                std::ldexp(0.75, n_bits - 149);
            EXPECT_LE(error, bound + rounding) << n_bits << " bits of unit " << unit;
          }
        }
      });
    }
  });
}

TEST(Properties, MeasuredBitsAreTheFewestThatKeepTheVariance) {
  std::int64_t n_kept = 0, n_unmet = 0;
  for_each_case([&](const MemoryCapture& capture, const Case& c) {
    if (!c.side().use_attentions || c.side().bits_rule != BitsRule::measured) return;
    Planner planner(capture);
    const QaqPolicy policy(c.params);
    for (const CacheSide side : kSides) {
      const PolicyView view = planner.view(policy, side, capture.info().n_tokens, {});
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
  });
  EXPECT_GT(n_kept, 1000);
  EXPECT_GT(n_unmet, 10) << "the mean-centred quantizer has units that no number of bits mends";
}

CacheChanges changes_of(const StreamingResult& result) {
  CacheChanges out;
  for (const StreamingStep& step : result.steps) {
    out += step.key;
    out += step.value;
  }
  return out;
}

// With demote_from = cpu what a stream leaves is the final plan carried out at once, and that plan
// is the policy's own of all tokens.
TEST(Properties, StreamingEndsAsOneShotQuantization) {
  std::int64_t n_promotions = 0, n_demotions_later = 0;
  for_each_case([&](const MemoryCapture& capture, const Case& c) {
    const std::int64_t n_tokens = capture.info().n_tokens;
    const SharedStreaming result =
        stream(capture, {c.params, {.demote_from = DemoteFrom::cpu}, n_tokens / 2});
    Replayer replayer(capture);
    const SharedReplay batch = replayer.bits({c.params});
    const PlannedCaches plans = replayer.plans({c.params});
    std::int64_t packed = 0, n_units = 0;
    for (const CacheSide side : kSides) {
      const PlannedCache& planned = side_of(plans, side);
      const StreamedFinal& streamed = side == CacheSide::key ? result->key : result->value;
      ASSERT_EQ(held_plan(planned.plan, streamed, n_tokens).n_bits, planned.plan.n_bits);
      for (std::int64_t layer = 0; layer < streamed.values.shape(0); ++layer) {
        const auto at_once = quantized_layer(capture, planned, layer);
        ASSERT_TRUE(same_bytes<float>(at_once->span(), streamed.values.view().sub(layer).span()))
            << name_of(side) << ", layer " << layer;
      }
      const CacheReplay& whole = side_of(*batch, side);
      ASSERT_TRUE(same_bytes<std::uint8_t>(streamed.bits.span(), whole.bits.span()));
      ASSERT_TRUE(same_bytes<std::uint8_t>(streamed.outliers.span(), whole.outliers.span()));
      ASSERT_TRUE(same_bytes<float>(streamed.error.span(), whole.error.span()));
      packed += packed_bytes(planned.plan, planned.stats,
                             packed_format(planned.plan.quantizer, DType::f16))
                    .total();
      n_units += planned.plan.layout.n_units();
    }
    ASSERT_EQ(result->steps.back().resident_bytes, packed);
    const CacheChanges changes = changes_of(*result);
    n_promotions += changes.promotions;
    n_demotions_later += changes.demotions + result->prefill_step.key.demotions +
                         result->prefill_step.value.demotions - n_units;
  });
  // Bits did go up and down on the way.
  EXPECT_GT(n_promotions, 10000);
  EXPECT_GT(n_demotions_later, 10000);
}

TEST(Properties, FixedBitsDemoteEachUnitOnce) {
  for_each_case([](const MemoryCapture& capture, const Case& c) {
    QaqParams params = c.params;
    for (QaqSideParams* side : {&params.key, &params.value}) side->n_bits_min = side->n_bits_max;
    // Measured or not, no number of bits is left to choose.
    const SharedStreaming result = stream(capture, {params, {}, capture.info().n_tokens / 2});
    const CacheChanges changes = changes_of(*result);
    ASSERT_EQ(changes.promotions, 0);
    ASSERT_EQ(changes.h2d.bytes, 0);
    const PlannedCaches plans = Replayer(capture).plans({params});
    ASSERT_EQ(result->prefill_step.key.demotions + result->prefill_step.value.demotions +
                  changes.demotions,
              plans.key.plan.layout.n_units() + plans.value.plan.layout.n_units());
  });
}

// The random cache under attention that falls from row to row: S_s[t] = w[t] / (w[0] + .. + w[s])
// with 1 <= w <= 2 falls faster than sqrt(12 / T) does.
MemoryCapture falling_capture(const SyntheticShape& shape) {
  std::mt19937 engine(kSeed);
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, kSeed);
  for (NdArray<float, 3>& attention : arrays.attention) {
    for (std::int64_t head = 0; head < shape.n_heads; ++head) {
      std::vector<double> weights;
      double sum = 0;
      for (std::int64_t s = 0; s < shape.n_tokens; ++s) {
        weights.push_back(1 + static_cast<double>(engine() % 1000) / 1000);
        sum += weights.back();
        for (std::int64_t t = 0; t <= s; ++t) {
          attention(head, s, t) = static_cast<float>(weights[static_cast<std::size_t>(t)] / sum);
        }
      }
    }
  }
  return {synthetic_info(shape), std::move(arrays)};
}

TEST(Properties, FallingAttentionNeverPromotes) {
  std::int64_t n_demotions_later = 0;
  for (const SyntheticShape& shape : kShapes) {
    const MemoryCapture capture = falling_capture(shape);
    for (const Case& c : cases()) {
      if (contradicts_itself(c.side()) || keeps_nothing(c, shape)) continue;
      // Bound keys may need more bits whatever attention does: a row's error adds up over more
      // tokens, and outputs move.
      if (c.side().variant == Variant::bound && c.side().bound_target != BoundTarget::entry) {
        continue;
      }
      SCOPED_TRACE(cat("D ", shape.head_dim, ", ", c.name));
      QaqParams params = c.params;
      params.key.last_n_attentions = params.value.last_n_attentions = 1;
      params.key.q_norm = 30.0;  // and so may measured norms
      const SharedStreaming result = stream(capture, {params, {}, 4});
      const CacheChanges changes = changes_of(*result);
      ASSERT_EQ(changes.promotions, 0);
      ASSERT_EQ(changes.h2d.bytes, 0);
      const PlannedCaches plans = Replayer(capture).plans({params});
      n_demotions_later += changes.demotions + result->prefill_step.key.demotions +
                           result->prefill_step.value.demotions - plans.key.plan.layout.n_units() -
                           plans.value.plan.layout.n_units();
    }
  }
  EXPECT_GT(n_demotions_later, 1000);
}

// Everything that a replay and a stream of one case give, as bytes.
std::string bytes_of(const MemoryCapture& capture, const Case& c) {
  std::string out;
  const auto add = [&](const auto& values) {
    out.append(reinterpret_cast<const char*>(values.data()), values.span().size_bytes());
  };
  const ReplayOptions options{c.params, capture.info().n_tokens / 2};
  Replayer replayer(capture);
  const SharedReplay result = replayer.full(options);
  const PlannedCaches plans = replayer.plans(options);
  for (const CacheSide side : kSides) {
    const CacheReplay& cache = side_of(*result, side);
    add(cache.bits);
    add(cache.outliers);
    add(cache.error);
    for (const auto& part : pack_cache(capture, side_of(plans, side), {}).parts) {
      out.append(part.begin(), part.end());
    }
  }
  add(result->attention_error);
  add(result->output_error);
  const SharedStreaming stream_result =
      stream(capture, {c.params, {}, capture.info().n_tokens - 2});
  for (const StreamedFinal* left : {&stream_result->key, &stream_result->value}) {
    add(left->bits);
    add(left->values);
  }
  add(stream_result->attention_error);
  return out;
}

TEST(Properties, ThreadCountChangesNoByte) {
  // Enough tokens that loops are shared out.
  const MemoryCapture capture = awkward_capture({.n_tokens = 140});
  for (const Case& c : cases()) {
    if (contradicts_itself(c.side())) continue;
    SCOPED_TRACE(c.name);
    set_thread_count(1);
    const std::string one = bytes_of(capture, c);
    set_thread_count(3);
    const bool same = bytes_of(capture, c) == one;
    set_thread_count(0);
    ASSERT_TRUE(same);
  }
}

}  // namespace
}  // namespace qaq::test
