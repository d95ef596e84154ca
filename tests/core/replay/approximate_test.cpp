// `sensitivity = approximate`: plans now and then, some heads, blocks of tokens.
#include <algorithm>
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/policy/qaq_policy.h"
#include "core/replay/pack_cache.h"
#include "core/replay/planner.h"
#include "core/replay/replayer.h"
#include "core/replay/streaming.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::uint32_t kSeed = 20240307;
constexpr SyntheticShape kShape{
    .n_layers = 2, .n_heads = 9, .n_kv_heads = 3, .n_tokens = 29, .head_dim = 8};
constexpr std::int64_t kPrefix = 23;

QaqParams lively() {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->target_quantization_error = 0.2;
    side->n_bits_min = 0;
    side->n_bits_max = 9;
    side->last_n_attentions = 2;
  }
  params.key.q_norm = 30.0;
  return params;
}

TEST(Approximate, ABlockGetsWhatItsMostDemandingTokenNeeds) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  const SharedReplay exact = Replayer(capture).bits({lively(), kPrefix});
  std::int64_t n_raised = 0;
  for (const int block : {2, 5, 100}) {
    QaqParams params = lively();
    params.block_size = block;
    const SharedReplay result = Replayer(capture).bits({params, kPrefix});
    for (const auto side : {&ReplayResult::key, &ReplayResult::value}) {
      for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
        for (std::int64_t head = 0; head < kShape.n_kv_heads; ++head) {
          for (std::int64_t t = 0; t < kPrefix; ++t) {
            const int own = ((*result).*side).bits(layer, head, t);
            EXPECT_GE(own, ((*exact).*side).bits(layer, head, t));
            EXPECT_EQ(own, ((*result).*side).bits(layer, head, t / block * block));
            n_raised += own > ((*exact).*side).bits(layer, head, t);
          }
        }
      }
    }
  }
  EXPECT_GT(n_raised, 50);
}

TEST(Approximate, TokensOfABlockShareTheLargestImportance) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  QaqParams params = lively();
  params.block_size = 4;
  Planner planner(capture);
  const QaqPolicy policy(params);
  const PolicyView view = planner.view(policy, CacheSide::value, kPrefix, {});
  const UnitFactsTable facts = policy.facts(view);
  for (std::int64_t t = 0; t < kPrefix; ++t) {
    float largest = 0;
    for (std::int64_t i = t / 4 * 4; i < std::min<std::int64_t>(t / 4 * 4 + 4, kPrefix); ++i) {
      largest = std::max(largest, view.importance(1, 2, i));
    }
    const auto unit = static_cast<std::size_t>(view.layout.unit(1, 2, t));
    EXPECT_EQ(facts[unit].importance, largest) << t;
  }
}

TEST(Approximate, FewerHeadsNeverRaiseImportance) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  const auto scores = capture.attention(1, kPrefix - 2, 2);
  for (const GqaReduce reduce : {GqaReduce::max, GqaReduce::sum}) {
    const auto importance = [&](int stride) {
      QaqParams params = lively();
      params.gqa_reduce = reduce;
      params.head_stride = stride;
      Planner planner(capture);
      return planner.view(QaqPolicy(params), CacheSide::value, kPrefix, {}).importance(1, 2, 7);
    };
    const auto of_heads = [&](std::initializer_list<std::int64_t> heads) {
      float largest = 0;
      for (const std::int64_t row : {0, 1}) {
        float seen = 0;
        for (const std::int64_t head : heads) {
          const float s = (*scores)(head, row, 7);
          seen = reduce == GqaReduce::max ? std::max(seen, s) : seen + s;
        }
        largest = std::max(largest, seen);
      }
      return largest;
    };
    EXPECT_EQ(importance(1), of_heads({6, 7, 8}));
    EXPECT_EQ(importance(2), of_heads({6, 8}));
    EXPECT_EQ(importance(3), of_heads({6}));
    EXPECT_LE(importance(2), importance(1));
    EXPECT_LE(importance(3), importance(2));
  }
}

TEST(Approximate, TokensBehindTheLastPlanStayExact) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  QaqParams params = lively();
  params.plan_stride = 8;
  const SharedReplay result = Replayer(capture).full({params, kPrefix}),
                     first = Replayer(capture).full({lively(), 16});
  const std::int64_t values = kShape.n_layers * kShape.n_kv_heads * kShape.head_dim;
  for (const auto side : {&ReplayResult::key, &ReplayResult::value}) {
    const CacheReplay &own = (*result).*side, &planned = (*first).*side;
    for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
      for (std::int64_t head = 0; head < kShape.n_kv_heads; ++head) {
        for (std::int64_t t = 0; t < kPrefix; ++t) {
          EXPECT_EQ(own.bits(layer, head, t), t < 16 ? planned.bits(layer, head, t) : 16);
          EXPECT_FLOAT_EQ(own.error(layer, head, t), t < 16 ? planned.error(layer, head, t) : 0);
          EXPECT_EQ(own.outliers(layer, head, t, 0), planned.outliers(layer, head, t, 0));
        }
      }
    }
    EXPECT_EQ(own.n_outliers, planned.n_outliers);
    EXPECT_EQ(own.packed.total(), planned.packed.total() + (kPrefix - 16) * values * 4)
        << "a capture of float32";
  }
  EXPECT_EQ(result->prefix, kPrefix);

  params.plan_stride = 24;  // no plan is due
  const SharedReplay none = Replayer(capture).full({params, kPrefix});
  EXPECT_EQ(none->key.quantization_error, 0);
  EXPECT_EQ(none->key.average_n_bits, 16);
  EXPECT_TRUE(std::ranges::all_of(none->value.bits.span(), [](int n) { return n == 16; }));
}

// With a prompt of 8 tokens a stream of 29 plans at 8, 16 and 24, and so does the batch.
TEST(Approximate, StreamingPlansWhereTheBatchDoes) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  QaqParams params = lively();
  params.plan_stride = 8;
  const SharedStreaming streamed = stream(capture, {params, {.demote_from = DemoteFrom::cpu}, 8});
  const SharedReplay batch = Replayer(capture).bits({params});
  EXPECT_TRUE(std::ranges::equal(streamed->key.bits.span(), batch->key.bits.span()));
  for (std::size_t i = 0; i < batch->value.error.span().size(); ++i) {
    EXPECT_FLOAT_EQ(streamed->value.error.span()[i], batch->value.error.span()[i]);
  }
}

TEST(Approximate, UnitsAreAllThatIsPacked) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  QaqParams params = lively();
  params.plan_stride = 8;
  Replayer replayer(capture);
  const PlannedCaches plans = replayer.plans({params, kPrefix});
  EXPECT_NE(
      refusal([&] { pack_cache(capture, plans.key, {}); }, ErrorKind::usage).find("plan_stride=1"),
      std::string::npos);
}

}  // namespace
}  // namespace qaq::test
