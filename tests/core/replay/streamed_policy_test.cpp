// Decode replayed with any policy: what is fixed once stays so, what is evicted does not return,
// and in the end there is what a replay of all tokens makes at once.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/policy/qaq_policy.h"
#include "core/replay/cache_replay.h"
#include "core/replay/replayer.h"
#include "core/replay/stream_retention.h"
#include "core/replay/streaming.h"
#include "tests/support/every_other.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::uint32_t kSeed = 20240306;
constexpr SyntheticShape kShape{
    .n_layers = 2, .n_heads = 6, .n_kv_heads = 3, .n_tokens = 41, .head_dim = 32};
constexpr std::int64_t kPrefill = 17;

// Streaming counts a float16 cache.
MemoryCapture half_capture() {
  CaptureInfo info = synthetic_info(kShape);
  info.dtype = DType::f16;
  return {std::move(info), synthetic_arrays(kShape, kSeed)};
}

std::vector<std::shared_ptr<const CachePolicy>> settled_policies() {
  return {make_policy("full", {}),
          make_policy("q8_0", {}),
          make_policy("q4_0", std::vector<std::string>{"cache_type_v=f16"}),
          make_policy("uniform", std::vector<std::string>{"bits=3", "group_size=12"}),
          make_policy("kivi", std::vector<std::string>{"group_size=8", "residual_length=16"}),
          every_other(3),
          with_evicting("full", 2),
          with_evicting("q8_0", 3)};
}

TEST(StreamedPolicy, EndsAsABatchOfAllTokens) {
  const MemoryCapture capture = half_capture();
  for (const auto& policy : settled_policies()) {
    SCOPED_TRACE(policy->name());
    const SharedStreaming result = stream(capture, {.prefill = kPrefill, .policy = policy});
    EXPECT_EQ(result->policy, policy->name());
    Replayer replayer(capture);
    const SharedReplay batch = replayer.planned({{}, 0, policy});
    const PlannedCaches plans = replayer.plans({{}, 0, policy});
    for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
      const StreamedFinal& ours = side == CacheSide::key ? result->key : result->value;
      const CacheReplay& theirs = side == CacheSide::key ? batch->key : batch->value;
      const PlannedCache& plan = side == CacheSide::key ? plans.key : plans.value;
      EXPECT_TRUE(std::ranges::equal(ours.bits.span(), theirs.bits.span()));
      for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
        const auto read = quantized_layer(capture, plan, layer);
        for (std::int64_t head = 0; head < kShape.n_kv_heads; ++head) {
          for (std::int64_t t = 0; t < kShape.n_tokens; ++t) {
            const bool kept = plan.plan.is_kept(layer, head, t);
            EXPECT_EQ(std::isnan(ours.error(layer, head, t)), !kept);
            if (!kept) continue;
            ASSERT_TRUE(std::ranges::equal(ours.values.sub(layer, head, t).span(),
                                           read->sub(head, t).span()));
          }
        }
      }
    }
    const StreamingStep& last = result->steps.back();
    EXPECT_EQ(last.resident_bytes, batch->key.packed.total() + batch->value.packed.total());
    EXPECT_DOUBLE_EQ(last.kept_share, static_cast<double>(batch->key.n_kept) /
                                          static_cast<double>(batch->key.n_values));
    EXPECT_EQ(last.host_bytes, 0);
    EXPECT_EQ(last.d2h.bytes, 0);
  }
}

TEST(StreamedPolicy, BeginsAsABatchOfThePrompt) {
  const MemoryCapture capture = half_capture();
  auto policies = settled_policies();
  policies.push_back(make_policy("qaq", {}));
  policies.push_back(with_evicting("qaq", 3));
  for (const auto& policy : policies) {
    SCOPED_TRACE(policy->name());
    const SharedStreaming result = stream(capture, {.prefill = kPrefill, .policy = policy});
    const SharedReplay batch = Replayer(capture).planned({{}, kPrefill, policy});
    EXPECT_EQ(result->prefill_step.resident_bytes,
              batch->key.packed.total() + batch->value.packed.total());
    EXPECT_EQ(result->steps.size(), static_cast<std::size_t>(kShape.n_tokens - kPrefill));
  }
}

TEST(StreamedPolicy, QaqByItsNameIsQaq) {
  const MemoryCapture capture = half_capture();
  QaqParams params;
  params.value.target_quantization_error = 0.3;
  const StreamingParams streaming{.importance = ImportanceRule::ema};
  const SharedStreaming a = stream(capture, {params, streaming, kPrefill}),
                        b = stream(capture,
                                   {{}, streaming, kPrefill, qaq_policies({&params, 1})[0]});
  EXPECT_TRUE(std::ranges::equal(a->value.bits.span(), b->value.bits.span()));
  EXPECT_TRUE(std::ranges::equal(a->value.values.span(), b->value.values.span()));
  EXPECT_EQ(streaming_totals_json(*a), streaming_totals_json(*b));
}

// What an evicted unit would cost or fetch is nobody's.
TEST(StreamedPolicy, EvictedUnitsOfQaqMoveNoMore) {
  const MemoryCapture capture = half_capture();
  const SharedStreaming whole = stream(capture, {.prefill = kPrefill}),
                        thin = stream(capture,
                                      {.prefill = kPrefill, .policy = with_evicting("qaq", 2)});
  EXPECT_EQ(streaming_totals_json(*whole)["kept_share"], 1.0);
  EXPECT_NEAR(streaming_totals_json(*thin)["kept_share"].get<double>(), 0.5, 0.02);
  EXPECT_LT(thin->steps.back().resident_bytes, whole->steps.back().resident_bytes);
  CacheChanges a, b;
  for (const StreamingStep& step : whole->steps) a += step.key;
  for (const StreamingStep& step : thin->steps) b += step.key;
  EXPECT_LT(b.demotions, a.demotions);
  EXPECT_GT(b.demotions, 0);
}

TEST(StreamedPolicy, ARowWithoutItsEvictedTokensIsASoftmaxOfTheOthers) {
  NdArray<std::uint8_t, 2> kept({1, 3}, std::uint8_t{1});
  NdArray<float, 3> row({2, 1, 4});
  const std::vector<float> numbers{0.5f, 0.25f, 0.125f, 0.125f, 0, 0.75f, 0.25f, 0};
  std::ranges::copy(numbers, row.data());
  leave_out_evicted(kept.view(), row.view());
  EXPECT_TRUE(std::ranges::equal(row.span(), numbers)) << "nothing is evicted";
  kept(0, 0) = 0;
  leave_out_evicted(kept.view(), row.view());
  EXPECT_TRUE(std::ranges::equal(row.span(),
                                 std::vector<float>{0, 0.5f, 0.25f, 0.25f, 0, 0.75f, 0.25f, 0}));
}

TEST(StreamedPolicy, RefusesByNameWhatDecodingCannotFix) {
  const MemoryCapture capture = half_capture();
  const auto why = [&](std::shared_ptr<const CachePolicy> policy, StreamingParams params = {}) {
    return refusal([&] { stream(capture, {{}, params, kPrefill, policy}); }, ErrorKind::usage);
  };
  EXPECT_NE(why(make_policy("uniform", std::vector<std::string>{"axis=channel"}))
                .find("decoding fixes none of them"),
            std::string::npos);
  const auto kivi =
      make_policy("kivi", std::vector<std::string>{"group_size=8", "residual_length=8"});
  EXPECT_NE(why(std::make_shared<ComposedPolicy>(kivi, every_other(3))).find("without --streaming"),
            std::string::npos);
  EXPECT_NE(why(kivi, {.importance = ImportanceRule::ema}).find("is of QAQ alone"),
            std::string::npos);
}

}  // namespace
}  // namespace qaq::test
