// `hybrid`: QAQ that evicts what stays unimportant and quantizes the rest.
#include <algorithm>
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/policy/full_policy.h"
#include "core/policy/hybrid_retention.h"
#include "core/policy/qaq_policy.h"
#include "core/replay/kept_tokens.h"
#include "core/replay/replayer.h"
#include "core/replay/streaming.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::uint32_t kSeed = 20240308;
constexpr std::int64_t kPrefix = 25;
constexpr std::array kShapes{
    SyntheticShape{.n_layers = 2, .n_heads = 9, .n_kv_heads = 3, .n_tokens = 29, .head_dim = 16},
    SyntheticShape{.n_layers = 1, .n_heads = 8, .n_kv_heads = 8, .n_tokens = 29, .head_dim = 8},
    SyntheticShape{.n_layers = 2, .n_heads = 8, .n_kv_heads = 1, .n_tokens = 29, .head_dim = 8}};

QaqParams evicting() {
  QaqParams params;
  params.value.last_n_attentions = 3;
  params.eviction = {.factor = 0.8, .patience = 2, .n_sink = 2, .n_recent = 5};
  return params;
}

bool is_evicted(const ReplayResult& result, std::int64_t layer, std::int64_t head,
                std::int64_t token) {
  const bool evicted = result.key.bits(layer, head, token) == CacheReplay::kEvicted;
  EXPECT_EQ(result.value.bits(layer, head, token) == CacheReplay::kEvicted, evicted);
  return evicted;
}

TEST(Hybrid, EvictsWhatStaysBelowEvenAttentionForItsPatience) {
  QaqParams params = evicting();
  params.eviction.factor = 2;
  for (const SyntheticShape& shape : kShapes) {
    const MemoryCapture capture = synthetic_capture(shape, kSeed);
    const SharedReplay result = Replayer(capture).bits({params, kPrefix});
    const std::int64_t group = shape.n_heads / shape.n_kv_heads;
    std::int64_t n_evicted = 0;
    for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
      const auto scores = capture.attention(layer, 0, kPrefix);
      for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
        for (std::int64_t t = 0; t < kPrefix; ++t) {
          int n_below = 0;
          bool evicted = false;
          for (std::int64_t s = t; s < kPrefix; ++s) {
            float importance = 0;
            for (std::int64_t i = std::max<std::int64_t>(0, s - 2); i <= s; ++i) {
              for (std::int64_t h = head * group; h < (head + 1) * group; ++h) {
                importance = std::max(importance, (*scores)(h, i, t));
              }
            }
            n_below = importance < 2.0 / static_cast<double>(s + 1) ? n_below + 1 : 0;
            evicted = evicted || (n_below >= 2 && t >= 2 && s - t >= 5);
          }
          EXPECT_EQ(is_evicted(*result, layer, head, t), evicted)
              << layer << " " << head << " " << t;
          n_evicted += evicted;
        }
      }
    }
    EXPECT_GT(n_evicted, 3) << shape.n_heads;
    EXPECT_EQ(result->key.n_values - result->key.n_kept, n_evicted * shape.head_dim);
  }
}

TEST(Hybrid, SinksAndRecentTokensAlwaysStay) {
  const MemoryCapture capture = synthetic_capture(kShapes[0], kSeed);
  QaqParams params = evicting();
  params.eviction = {.factor = 1000, .patience = 1, .n_sink = 3, .n_recent = 4};
  const SharedReplay result = Replayer(capture).bits({params, kPrefix});
  for (std::int64_t t = 0; t < kPrefix; ++t) {
    EXPECT_EQ(is_evicted(*result, 1, 2, t), t >= 3 && t < kPrefix - 4) << t;
  }
}

TEST(Hybrid, NoBitsIsNotEvicted) {
  const MemoryCapture capture = synthetic_capture(kShapes[0], kSeed);
  QaqParams params = evicting();
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->n_bits_min = side->n_bits_max = 0;
  }
  const SharedReplay result = Replayer(capture).full({params, kPrefix});
  EXPECT_GT(std::ranges::count(result->key.bits.span(), CacheReplay::kEvicted), 0);
  EXPECT_GT(std::ranges::count(result->key.bits.span(), 0), 0);
  QaqParams keeps = params;
  keeps.eviction.factor = 0;
  const SharedReplay whole = Replayer(capture).full({keeps, kPrefix});
  EXPECT_EQ(std::ranges::count(whole->key.bits.span(), CacheReplay::kEvicted), 0);
  EXPECT_NE(whole->mean_attention_error, result->mean_attention_error);
}

// What a policy evicts by, alone.
class Evicting : public FullPolicy {
 public:
  explicit Evicting(const QaqParams& params) : FullPolicy(FullParams{}), qaq_(params) {}
  const TokenRetention* retention() const override { return qaq_.retention(); }

 private:
  QaqPolicy qaq_;
};

TEST(Hybrid, At16BitsOnlyEvictionLosesAnything) {
  const MemoryCapture capture = synthetic_capture(kShapes[0], kSeed);
  QaqParams params = evicting();
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->range_rule = RangeChoice::minmax;
    side->n_bits_min = side->n_bits_max = 16;
  }
  const SharedReplay both = Replayer(capture).full({params, kPrefix}),
                     pure =
                         Replayer(capture).full({{}, kPrefix, std::make_shared<Evicting>(params)});
  EXPECT_GT(*pure->mean_output_error, 1e-4);
  EXPECT_NEAR(*both->mean_output_error, *pure->mean_output_error, 1e-3 * *pure->mean_output_error);
  EXPECT_EQ(both->key.n_kept, pure->key.n_kept);
}

// Step by step as the prompt is taken at once, and what was dropped stays so.
TEST(Hybrid, StepsGoOnWhereThePromptEnded) {
  const SyntheticShape& shape = kShapes[0];
  const MemoryCapture capture = synthetic_capture(shape, kSeed);
  const QaqPolicy policy(evicting());
  const auto whole = kept_tokens(capture, *policy.retention(), kPrefix, {});
  for (const std::int64_t prompt : {1, 7, 24}) {
    const CacheShape cache{shape.n_layers, shape.n_kv_heads, prompt, shape.head_dim};
    const auto layer = policy.retention()->open_layer(1, cache, shape.n_heads);
    NdArray<std::uint8_t, 2> kept({shape.n_kv_heads, prompt}, std::uint8_t{1});
    NdArray<float, 3> scores({shape.n_heads, prompt, prompt});
    const auto all = capture.attention(1, 0, kPrefix);
    for (std::int64_t head = 0; head < shape.n_heads; ++head) {
      for (std::int64_t s = 0; s < prompt; ++s) {
        std::copy_n(all->sub(head, s).data(), prompt, scores.sub(head, s).data());
      }
    }
    layer->prompt({.layer = 1, .shape = cache, .n_heads = shape.n_heads, .scores = scores.view()},
                  kept.view());
    for (std::int64_t s = prompt; s < kPrefix; ++s) {
      NdArray<std::uint8_t, 2> longer({shape.n_kv_heads, s + 1}, std::uint8_t{1});
      NdArray<float, 2> row({shape.n_heads, s + 1});
      for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
        std::copy_n(kept.sub(head).data(), s, longer.sub(head).data());
      }
      for (std::int64_t head = 0; head < shape.n_heads; ++head) {
        std::copy_n(all->sub(head, s).data(), s + 1, row.sub(head).data());
      }
      layer->step({row.view()}, longer.view());
      kept = std::move(longer);
    }
    EXPECT_TRUE(std::ranges::equal(kept.span(), whole->sub(1).span())) << prompt;
  }
}

TEST(Hybrid, IsRefusedByNameWhereItIsNotFollowed) {
  const MemoryCapture capture = synthetic_capture(kShapes[0], kSeed);
  const auto refused = [&](const QaqParams& params) {
    return refusal([&] { Replayer(capture).bits({params, kPrefix}); }, ErrorKind::usage);
  };
  QaqParams params = evicting();
  EXPECT_EQ(refused(params), "taken");
  params.eviction.mode = EvictMode::offload;
  EXPECT_EQ(refused(params).substr(0, 11), "evict_mode:");
  params = evicting();
  params.plan_stride = 2;
  EXPECT_EQ(refused(params).substr(0, 12), "plan_stride:");
  params = evicting();
  params.key.level = Level::layer;
  EXPECT_NE(refused(params).find("set level=head"), std::string::npos);
  EXPECT_EQ(refusal(
                [&] {
                  stream(capture, {evicting(), {}, 9});
                },
                ErrorKind::usage)
                .substr(0, 13),
            "evict_factor:");
}

}  // namespace
}  // namespace qaq::test
