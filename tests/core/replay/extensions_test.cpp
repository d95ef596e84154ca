// QAQ with one part replaced (section 9): what holds for every extension, and what each is at its
// neutral setting.
#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <span>

#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/replay/explain.h"
#include "core/replay/replayer.h"
#include "core/replay/streaming.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

constexpr std::uint32_t kSeed = 20240306;
constexpr std::int64_t kPrefix = 21;

constexpr std::array kShapes{
    SyntheticShape{.n_layers = 2, .n_heads = 9, .n_kv_heads = 3, .n_tokens = 29, .head_dim = 8},
    SyntheticShape{.n_layers = 1, .n_heads = 8, .n_kv_heads = 8, .n_tokens = 26, .head_dim = 8},
    SyntheticShape{.n_layers = 2, .n_heads = 8, .n_kv_heads = 1, .n_tokens = 26, .head_dim = 16}};

QaqParams plain() {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->target_quantization_error = 0.2;
    side->n_bits_min = 0;
    side->n_bits_max = 9;
    side->last_n_attentions = 3;
  }
  params.key.q_norm = 30.0;
  return params;
}

template <class Change>
QaqParams with(const Change& change) {
  QaqParams params = plain();
  change(params);
  return params;
}

template <class Change>
QaqParams with_sides(const Change& change) {
  return with([&](QaqParams& params) {
    change(params.key);
    change(params.value);
  });
}

QaqParams ema(double beta) {
  return with_sides([&](QaqSideParams& side) {
    side.sensitivity = Sensitivity::ema;
    side.beta = beta;
  });
}

QaqParams adaptive(std::int64_t n_min, std::int64_t n_max) {
  return with_sides([&](QaqSideParams& side) {
    side.window_rule = WindowRule::adaptive;
    side.adaptive = {.n_min = n_min, .n_max = n_max, .hi = 0.02, .lo = 0.01, .hold = 2};
  });
}

struct Extension {
  const char* name;
  QaqParams params;
};

// Those that a replay step by step follows, too.
std::vector<Extension> streamed() {
  std::vector<Extension> out{{"ema", ema(0.8)},
                             {"adaptive", adaptive(1, 7)},
                             {"one head", with([](QaqParams& p) { p.head_stride = 100; })},
                             {"blocks", with([](QaqParams& p) { p.block_size = 4; })},
                             {"all of them", with([](QaqParams& p) {
                                p.value = ema(0.5).value;
                                p.key = adaptive(2, 5).key;
                                p.key.variant = Variant::bound;
                                p.head_stride = 2;
                                p.block_size = 3;
                              })}};
  return out;
}

std::vector<Extension> extensions() {
  std::vector<Extension> out = streamed();
  out.push_back({"stride", with([](QaqParams& p) { p.plan_stride = 8; })});
  out.push_back({"hybrid", with([](QaqParams& p) {
                   p.eviction = {.factor = 0.8, .patience = 2, .n_sink = 2, .n_recent = 6};
                 })});
  return out;
}

template <class T>
void expect_same(std::span<const T> a, std::span<const T> b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size_bytes()), 0);
}

void expect_same(const ReplayResult& a, const ReplayResult& b) {
  for (const auto side : {&ReplayResult::key, &ReplayResult::value}) {
    expect_same((a.*side).bits.span(), (b.*side).bits.span());
    expect_same((a.*side).outliers.span(), (b.*side).outliers.span());
    expect_same((a.*side).error.span(), (b.*side).error.span());
    EXPECT_EQ((a.*side).packed, (b.*side).packed);
    EXPECT_EQ((a.*side).average_n_bits, (b.*side).average_n_bits);
  }
  expect_same(a.output_error.span(), b.output_error.span());
  EXPECT_EQ(a.mean_attention_error, b.mean_attention_error);
  EXPECT_EQ(a.ratio_packed, b.ratio_packed);
}

SharedReplay replayed(const CaptureView& capture, const QaqParams& params,
                      std::int64_t prefix = kPrefix) {
  return Replayer(capture).full({params, prefix});
}

TEST(Extensions, AllChangeSomethingAndSaveOrSpendBytes) {
  const MemoryCapture capture = synthetic_capture(kShapes[0], kSeed);
  const SharedReplay without = replayed(capture, plain());
  for (const Extension& each : extensions()) {
    const SharedReplay with = replayed(capture, each.params);
    EXPECT_NE(with->key.packed.total() + with->value.packed.total(),
              without->key.packed.total() + without->value.packed.total())
        << each.name;
  }
}

TEST(Extensions, SameBytesOnAnyNumberOfThreads) {
  for (const SyntheticShape& shape : kShapes) {
    const MemoryCapture capture = synthetic_capture(shape, kSeed);
    for (const Extension& each : extensions()) {
      SCOPED_TRACE(cat(each.name, ", ", shape.n_heads, "/", shape.n_kv_heads));
      set_thread_count(1);
      const SharedReplay one = replayed(capture, each.params);
      set_thread_count(5);
      const SharedReplay five = replayed(capture, each.params);
      set_thread_count(0);
      expect_same(*one, *five);
    }
  }
}

TEST(Extensions, TakeOneTokenAndWhateverWasAskedBefore) {
  const MemoryCapture capture = synthetic_capture(kShapes[0], kSeed);
  Replayer replayer(capture);
  for (const std::int64_t prefix : {std::int64_t{1}, kPrefix, kShapes[0].n_tokens}) {
    for (const Extension& each : extensions()) {
      SCOPED_TRACE(cat(each.name, ", prefix ", prefix));
      const SharedReplay again = replayer.full({each.params, prefix});
      expect_same(*again, *replayed(capture, each.params, prefix));
      EXPECT_EQ(again->prefix, prefix);
    }
  }
}

// What a stream leaves that fetches what it demotes is the plan of all tokens at once.
TEST(Extensions, StreamingEndsAsTheBatchDoes) {
  for (const SyntheticShape& shape : kShapes) {
    const MemoryCapture capture = synthetic_capture(shape, kSeed);
    for (const Extension& each : streamed()) {
      SCOPED_TRACE(cat(each.name, ", ", shape.n_heads, "/", shape.n_kv_heads));
      const SharedStreaming streamed =
          stream(capture, {each.params, {.demote_from = DemoteFrom::cpu}, 9});
      const SharedReplay batch = Replayer(capture).bits({each.params});
      expect_same(streamed->key.bits.span(), batch->key.bits.span());
      expect_same(streamed->value.bits.span(), batch->value.bits.span());
      expect_same(streamed->key.error.span(), batch->key.error.span());
      expect_same(streamed->value.error.span(), batch->value.error.span());
    }
  }
}

void expect_neutral(const CaptureView& capture, std::int64_t prefix, bool has_scores) {
  const SharedReplay base = replayed(capture, plain(), prefix);
  const auto same = [&](const char* name, const QaqParams& params) {
    SCOPED_TRACE(name);
    expect_same(*replayed(capture, params, prefix), *base);
  };
  same("a window of one length", adaptive(3, 3));
  same("strides and blocks of one",
       with([](QaqParams& p) { p.plan_stride = p.head_stride = p.block_size = 1; }));
  same("a plan that is due", with([&](QaqParams& p) { p.plan_stride = static_cast<int>(prefix); }));
  same("nothing evicted", with([](QaqParams& p) {
         p.eviction = {.factor = 0, .patience = 1, .n_sink = 0, .n_recent = 0};
       }));
  // The rest of an average's parameters mean nothing to a window.
  same("window", with_sides([](QaqSideParams& side) {
         side.beta = 0.3;
         side.z = 7;
         side.adaptive = {.n_min = 2, .n_max = 3};
       }));
  if (!has_scores) return;
  QaqParams one = plain(), forgetful = plain();
  one.value.last_n_attentions = 1;
  forgetful.value = ema(0).value;
  expect_same(*replayed(capture, forgetful, prefix), *replayed(capture, one, prefix));
}

TEST(Extensions, AreNothingAtTheirNeutralSetting) {
  for (const SyntheticShape& shape : kShapes) {
    const MemoryCapture capture = synthetic_capture(shape, kSeed);
    for (const std::int64_t prefix : {std::int64_t{1}, kPrefix, shape.n_tokens}) {
      SCOPED_TRACE(cat(shape.n_heads, "/", shape.n_kv_heads, ", prefix ", prefix));
      expect_neutral(capture, prefix, true);
    }
  }
}

TEST(Extensions, AreNothingAtTheirNeutralSettingOnAModelsCapture) {
  const ReferenceFile forward(test_data_path("oracle/smollm2_forward_narrative.h5"));
  expect_neutral(*narrative_capture(forward), 64, true);
}

TEST(Extensions, AreExplainedAsTheyAreReplayed) {
  const MemoryCapture capture = synthetic_capture(kShapes[0], kSeed);
  for (const Extension& each : extensions()) {
    SCOPED_TRACE(each.name);
    const ReplayOptions options{each.params, kPrefix};
    const SharedReplay result = replay(capture, options);
    Explainer explainer(capture, options);
    for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
      const auto& bits = (side == CacheSide::key ? result->key : result->value).bits;
      for (std::int64_t t = 0; t < kPrefix; ++t) {
        const CellExplanation cell = explainer.explain({side, 1, 2, t});
        const int n_bits = bits(1, 2, t);
        EXPECT_EQ(cell.evicted, n_bits == CacheReplay::kEvicted) << t;
        EXPECT_EQ(!cell.why_exact.empty(), n_bits == 16 || n_bits == CacheReplay::kEvicted) << t;
        if (!cell.why_exact.empty()) continue;
        EXPECT_EQ(cell.bits.choice.n_bits, n_bits) << t;
        EXPECT_EQ(cell.bits.choice.forced, t >= cell.first_forced) << t;
      }
    }
  }
}

// The capture has the rows from token 10 on.
TEST(Extensions, WhatFollowsEveryRowIsRefusedWithTheCureWhereRowsAreMissing) {
  const MemoryCapture window = synthetic_capture({}, 1, 14);
  const auto refused = [&](const QaqParams& params) {
    return refusal([&] { replayed(window, params); });
  };
  EXPECT_EQ(refused(plain()), "taken");
  QaqParams values = plain();
  values.value = ema(0.8).value;
  EXPECT_EQ(refused(values),
            "synthetic.h5: /entry/attention: lacks the attention rows 0 to 20 that the values' "
            "bits follow from; capture again with --attention derive, or --set "
            "value.sensitivity=window");
  EXPECT_NE(refused(adaptive(1, 4)).find("--set key.window_rule=fixed"), std::string::npos);
  QaqParams evicts = plain();
  evicts.eviction.factor = 0.1;
  EXPECT_NE(refused(evicts).find("lacks the attention rows 0 to 20"), std::string::npos);
  EXPECT_NE(refusal([&] {
              stream(window, {values, {}, 19});
            }).find("--set value.sensitivity=window"),
            std::string::npos);
}

}  // namespace
}  // namespace qaq::test
