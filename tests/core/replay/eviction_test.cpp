// A replay in which tokens are evicted: what leaves the softmax, the bytes and the means.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/cache_codec.h"
#include "core/replay/cache_replay.h"
#include "core/replay/capture_rows.h"
#include "core/replay/replayer.h"
#include "core/replay/sweep.h"
#include "tests/support/every_other.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::uint32_t kSeed = 20240306;
constexpr SyntheticShape kShape{
    .n_layers = 2, .n_heads = 6, .n_kv_heads = 3, .n_tokens = 29, .head_dim = 32};
constexpr std::int64_t kPrefix = 21;

TEST(Eviction, OfNothingChangesNothing) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  for (const char* name : {"qaq", "q4_0", "kivi"}) {
    const auto alone = make_policy(name, {});
    const auto composed = std::make_shared<ComposedPolicy>(alone, every_other(0));
    const SharedReplay a = Replayer(capture).full({{}, kPrefix, alone}),
                       b = Replayer(capture).full({{}, kPrefix, composed});
    EXPECT_EQ(b->policy, cat(name, "+every_other"));
    EXPECT_TRUE(std::ranges::equal(a->key.bits.span(), b->key.bits.span())) << name;
    EXPECT_TRUE(std::ranges::equal(a->value.error.span(), b->value.error.span())) << name;
    EXPECT_EQ(a->mean_attention_error, b->mean_attention_error) << name;
    EXPECT_EQ(a->mean_output_error, b->mean_output_error) << name;
    EXPECT_EQ(a->key.average_n_bits, b->key.average_n_bits) << name;
    EXPECT_NEAR(a->ratio_nominal, b->ratio_nominal, 1e-12) << name;
    // All that is new is that the rows of keys say where they stand.
    PackedBytes bytes = a->key.packed;
    bytes.positions = 4 * 2 * 3 * kPrefix;
    EXPECT_EQ(b->key.packed.total(), bytes.total()) << name;
    EXPECT_EQ(b->value.packed, a->value.packed) << name;
  }
}

// Every row of every head by the definition, in float64: keys that are left and the query's own are
// in the softmax.
TEST(Eviction, TakesTokensOutOfTheSoftmax) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  for (const std::int64_t prefix : {kPrefix, kShape.n_tokens}) {
    const SharedReplay result = Replayer(capture).full({{}, prefix, every_other(2)});
    double attention = 0, output = 0;
    std::int64_t n_rows = 0;
    for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
      const auto query = capture.query(layer), key = capture.key(layer),
                 value = capture.value(layer);
      const auto scores = capture.attention(layer, 0, kShape.n_tokens);
      for (std::int64_t head = 0; head < kShape.n_heads; ++head) {
        const std::int64_t kv_head = head / 2;
        for (std::int64_t s = prefix == kShape.n_tokens ? 0 : prefix; s < kShape.n_tokens; ++s) {
          std::vector<double> e(static_cast<std::size_t>(s + 1));
          double sum = 0;
          for (std::int64_t t = 0; t <= s; ++t) {
            if (t < prefix && t != s && !EveryOther::keeps(2, layer, kv_head, t)) continue;
            double dot = 0;
            for (std::int64_t i = 0; i < kShape.head_dim; ++i) {
              dot += double{(*query)(head, s, i)} * (*key)(kv_head, t, i);
            }
            sum += e[static_cast<std::size_t>(t)] =
                std::exp(dot / std::sqrt(static_cast<double>(kShape.head_dim)));
          }
          std::vector<double> change(static_cast<std::size_t>(kShape.head_dim));
          double row = 0;
          for (std::int64_t t = 0; t <= s; ++t) {
            const double d = e[static_cast<std::size_t>(t)] / sum - (*scores)(head, s, t);
            if (t < prefix) row += d * d;
            for (std::size_t i = 0; i < change.size(); ++i) {
              change[i] += d * (*value)(kv_head, t, static_cast<std::int64_t>(i));
            }
          }
          double squares = 0;
          for (const double x : change) squares += x * x;
          attention += row;
          output += squares / static_cast<double>(kShape.head_dim);
          ++n_rows;
        }
      }
    }
    ASSERT_TRUE(result->mean_attention_error && result->mean_output_error);
    attention /= static_cast<double>(n_rows * prefix);
    output /= static_cast<double>(n_rows);
    EXPECT_GT(output, 0.01);
    EXPECT_NEAR(*result->mean_attention_error, attention, 1e-5 * attention);
    EXPECT_NEAR(*result->mean_output_error, output, 1e-5 * output);
  }
}

// f16: n_layers n_kv_heads n_kept (2 D 2 + 4) bytes (section 8, common).
TEST(Eviction, LeavesTheBytesOfWhatIsKept) {
  MemoryCapture::Arrays arrays = synthetic_arrays(kShape, kSeed);
  const MemoryCapture capture(synthetic_info(kShape), std::move(arrays));
  const std::int64_t value_bytes = bytes_of(capture.info().dtype);
  const SharedReplay result = Replayer(capture).full({{}, kPrefix, every_other(3)});
  std::int64_t n_kept = 0;
  for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
    for (std::int64_t head = 0; head < kShape.n_kv_heads; ++head) {
      for (std::int64_t t = 0; t < kShape.n_tokens; ++t) {
        const bool there = t >= kPrefix || EveryOther::keeps(3, layer, head, t);
        if (t < kPrefix) n_kept += there;
        for (const CacheReplay* cache : {&result->key, &result->value}) {
          EXPECT_EQ(cache->bits(layer, head, t), there ? 16 : CacheReplay::kEvicted);
          EXPECT_EQ(std::isnan(cache->error(layer, head, t)), !there);
        }
      }
    }
  }
  EXPECT_EQ(n_kept, 84);
  EXPECT_EQ(result->key.n_kept, n_kept * kShape.head_dim);
  EXPECT_EQ(result->key.packed.total() + result->value.packed.total(),
            n_kept * (2 * kShape.head_dim * value_bytes + 4));
  const double share = static_cast<double>(n_kept) / (2 * 3 * kPrefix);
  EXPECT_EQ(result->key.average_n_bits, 16) << "of what is left";
  EXPECT_DOUBLE_EQ(result->ratio_nominal, 1 / share);
  EXPECT_DOUBLE_EQ(result->ratio_paper, 1 / share);
  EXPECT_EQ(result->key.quantization_error, 0);
}

TEST(Composition, KeepsOfQaqTheUnitsThatAreLeft) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  const SharedReplay whole = Replayer(capture).full({{}, kPrefix, nullptr});
  const auto policy = std::make_shared<ComposedPolicy>(make_policy("qaq", {}), every_other(3));
  const SharedReplay result = Replayer(capture).full({{}, kPrefix, policy});
  double bits = 0, error = 0;
  std::int64_t n = 0;
  for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
    for (std::int64_t head = 0; head < kShape.n_kv_heads; ++head) {
      for (std::int64_t t = 0; t < kPrefix; ++t) {
        if (!EveryOther::keeps(3, layer, head, t)) {
          EXPECT_EQ(result->value.bits(layer, head, t), CacheReplay::kEvicted);
          EXPECT_TRUE(std::ranges::all_of(result->value.outliers.sub(layer, head, t).span(),
                                          [](std::uint8_t mask) { return mask == 0; }));
          continue;
        }
        EXPECT_EQ(result->value.bits(layer, head, t), whole->value.bits(layer, head, t));
        EXPECT_EQ(result->value.error(layer, head, t), whole->value.error(layer, head, t));
        bits += whole->value.bits(layer, head, t);
        error += whole->value.error(layer, head, t);
        ++n;
      }
    }
  }
  EXPECT_NEAR(result->value.mean_bits, bits / static_cast<double>(n), 1e-6);
  EXPECT_NEAR(result->value.quantization_error, error / static_cast<double>(n),
              1e-6 * result->value.quantization_error);
  EXPECT_LT(result->value.n_outliers, whole->value.n_outliers);
  EXPECT_LT(result->value.packed.payload, whole->value.packed.payload);
}

// Groups of 8 tokens of a channel are of the tokens that are left, drawn together.
TEST(Composition, CodesWhatIsLeftAsIfItWereAlone) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  const auto alone =
      make_policy("uniform", std::vector<std::string>{"axis=channel", "group_size=8", "bits=3"});
  const ComposedPolicy policy(alone, every_other(3));
  const std::shared_ptr<const CachePolicy> shared(std::shared_ptr<void>(), &policy);
  Replayer replayer(capture);
  const PlannedCaches plans = replayer.plans({{}, kPrefix, shared});
  std::int64_t bytes = 0;
  for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
    const auto exact = capture.key(layer), read = quantized_layer(capture, plans.key, layer);
    for (std::int64_t head = 0; head < kShape.n_kv_heads; ++head) {
      std::vector<std::int64_t> tokens;
      for (std::int64_t t = 0; t < kPrefix; ++t) {
        if (EveryOther::keeps(3, layer, head, t)) tokens.push_back(t);
      }
      const auto n = std::ssize(tokens);
      NdArray<float, 3> drawn({1, n, kShape.head_dim}), coded({1, n, kShape.head_dim});
      for (std::int64_t i = 0; i < n; ++i) {
        std::ranges::copy(exact->sub(head, tokens[static_cast<std::size_t>(i)]).span(),
                          drawn.sub(0, i).data());
      }
      const auto codec = group_cache_codec({3, GroupAxis::channel, 8, StoreScale::f16},
                                           {1, 1, n, kShape.head_dim}, n);
      codec->quantize(0, drawn.view(), coded.view(), {});
      bytes += codec->bytes(capture.info().dtype).total();
      for (std::int64_t i = 0; i < n; ++i) {
        EXPECT_TRUE(std::ranges::equal(read->sub(head, tokens[static_cast<std::size_t>(i)]).span(),
                                       coded.sub(0, i).span()));
      }
    }
  }
  const SharedReplay result = Replayer(capture).planned({{}, kPrefix, shared});
  EXPECT_EQ(result->key.packed.total() - result->key.packed.positions, bytes);
}

TEST(Composition, RefusesWhatDoesNotGoTogether) {
  const auto qaq = make_policy("qaq", {});
  EXPECT_NE(refusal([&] { ComposedPolicy(qaq, qaq); }, ErrorKind::usage).find("qaq+h2o"),
            std::string::npos);
  EXPECT_NE(refusal([&] { ComposedPolicy(every_other(2), every_other(3)); }, ErrorKind::usage)
                .find("is no composition"),
            std::string::npos);
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  const auto layered = std::make_shared<ComposedPolicy>(
      make_policy("qaq", std::vector<std::string>{"level=layer"}), every_other(2));
  EXPECT_NE(refusal(
                [&] {
                  Replayer(capture).planned({{}, 0, layered});
                },
                ErrorKind::usage)
                .find("set level=head"),
            std::string::npos);
}

TEST(Sweep, MeasuresEveryPolicyAsAReplayDoes) {
  const MemoryCapture capture = synthetic_capture(kShape, kSeed);
  const std::vector<std::shared_ptr<const CachePolicy>> settings{
      make_policy("qaq", {}), make_policy("q4_0", {}), every_other(2),
      std::make_shared<ComposedPolicy>(make_policy("qaq", {}), every_other(3))};
  Sweeper sweeper(capture, {.prefix = kPrefix});
  const std::vector<SharedReplay> results = sweeper.run(settings);
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const SharedReplay one = Replayer(capture).full({{}, kPrefix, settings[i]});
    EXPECT_EQ(results[i]->policy, one->policy);
    EXPECT_EQ(results[i]->key.packed, one->key.packed) << one->policy;
    EXPECT_EQ(results[i]->ratio_packed, one->ratio_packed) << one->policy;
    EXPECT_NEAR(results[i]->value.quantization_error, one->value.quantization_error,
                1e-9 + 1e-9 * one->value.quantization_error);
    EXPECT_NEAR(*results[i]->mean_output_error, *one->mean_output_error,
                1e-6 * *one->mean_output_error);
  }
}

}  // namespace
}  // namespace qaq::test
