// Decode replayed step by step: the invariants of section 5, on made-up captures.
#include "core/replay/streaming.h"

#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/quant/packed_bytes.h"
#include "core/quant/unit_grid.h"
#include "core/replay/replayer.h"
#include "tests/support/known_shapes.h"
#include "tests/support/refusal.h"
#include "tests/support/streamed_plan.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::int64_t kTokens = 24, kPrefill = 10;

template <class T, std::size_t Rank>
bool same_bytes(const NdView<const T, Rank>& a, const NdView<const T, Rank>& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.span().size_bytes()) == 0;
}

// The whole layer with the first plan.layout.shape().n_tokens tokens quantized at once.
void expect_quantized_at_once(const CaptureView& capture, const PlannedCache& cache,
                              const StreamedFinal& streamed, const std::string& what) {
  for (std::int64_t layer = 0; layer < streamed.values.shape(0); ++layer) {
    const auto at_once = quantized_layer(capture, cache, layer);
    EXPECT_TRUE(same_bytes<float>(at_once->view(), streamed.values.view().sub(layer)))
        << what << ", " << name_of(cache.side) << ", layer " << layer;
  }
}

CacheChanges changes_of(const StreamingResult& result) {
  CacheChanges out;
  for (const StreamingStep& step : result.steps) {
    out += step.key;
    out += step.value;
  }
  return out;
}

// Parameters under which bits change from step to step.
QaqParams lively_params() {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->outliers_ratio = 0.1;
    side->target_quantization_error = 0.3;
    side->last_n_attentions = 3;
    side->n_bits_max = 9;
  }
  params.key.q_norm = 30.0;
  return params;
}

QaqParams with_stride(QaqParams params, int plan_stride) {
  params.plan_stride = plan_stride;
  return params;
}

TEST(Streaming, WhatIsHeldBackIsQuantizedAtOnceToo) {
  for (const std::uint32_t seed : {1u, 2u}) {
    const MemoryCapture capture = synthetic_capture({}, seed);
    const StreamingOptions options{with_stride(lively_params(), 5),
                                   {.importance = ImportanceRule::decayed_max,
                                    .demote_from = DemoteFrom::cpu,
                                    .promote_hysteresis = 1,
                                    .demote_patience = 2},
                                   12};
    const SharedStreaming result = stream(capture, options);
    Replayer replayer(capture);
    PlannedCaches plans = replayer.plans({lively_params()});
    for (const auto& [planned, streamed] :
         {std::pair{&plans.key, &result->key}, {&plans.value, &result->value}}) {
      // Plans came with 12, 17 and 22 tokens; the last two are whole.
      planned->plan = held_plan(planned->plan, *streamed, 22);
      planned->stats = planned->stats.first(planned->plan.n_bits.size());
      expect_quantized_at_once(capture, *planned, *streamed, cat("seed ", seed));
      EXPECT_EQ(streamed->bits(0, 0, 21), planned->plan.n_bits[21 * 4]);
      EXPECT_EQ(streamed->bits(0, 0, 22), 16);
      EXPECT_EQ(streamed->bits(1, 1, 23), 16);
    }
  }
}

TEST(Streaming, DemotedInPlaceLiesOnItsGridWithItsOutliers) {
  std::int64_t n_crossed = 0, n_differ = 0;
  for (const std::uint32_t seed : {1u, 2u, 3u}) {
    const MemoryCapture capture = synthetic_capture({}, seed);
    const SharedStreaming result = stream(capture, {lively_params(), {}, kPrefill});
    Replayer replayer(capture);
    const PlannedCaches plans = replayer.plans({lively_params()});
    for (const auto& [planned, streamed] :
         {std::pair{&plans.key, &result->key}, {&plans.value, &result->value}}) {
      EXPECT_EQ(held_plan(planned->plan, *streamed, kTokens).n_bits, planned->plan.n_bits);
      for (std::int64_t layer = 0; layer < 2; ++layer) {
        const auto exact = exact_layer(capture, planned->side, layer);
        const auto at_once = quantized_layer(capture, *planned, layer);
        for (std::int64_t head = 0; head < 2; ++head) {
          for (std::int64_t token = 0; token < kTokens; ++token) {
            const auto unit =
                static_cast<std::size_t>(planned->plan.layout.unit(layer, head, token));
            const UnitStats& stats = planned->stats[unit];
            const UniformGrid grid =
                unit_grid(planned->plan.quantizer, stats, planned->plan.n_bits[unit]);
            for (std::int64_t d = 0; d < 8; ++d) {
              const float x = exact->view()(head, token, d);
              const float held = streamed->values(layer, head, token, d);
              n_differ += held != at_once->view()(head, token, d);
              if (stats.is_outlier(x)) {
                EXPECT_EQ(held, x);
              } else {
                EXPECT_EQ(held, decode(grid, encode(grid, held)));
                n_crossed += stats.is_outlier(held);
              }
            }
          }
        }
      }
    }
  }
  // Inliers that came to lie where outliers do, and what demotion in place costs.
  EXPECT_GT(n_crossed, 10);
  EXPECT_GT(n_differ, 10);
}

TEST(Streaming, PlansEveryStride) {
  const MemoryCapture capture = synthetic_capture();
  const SharedStreaming result = stream(capture, {with_stride(lively_params(), 5), {}, 12});
  ASSERT_EQ(result->steps.size(), 12u);
  for (std::size_t i = 0; i < result->steps.size(); ++i) {
    const StreamingStep& step = result->steps[i];
    EXPECT_EQ(step.token, 12 + static_cast<std::int64_t>(i));
    const bool planned = i == 4 || i == 9;
    EXPECT_EQ(step.key.requantized_values > 0, planned) << i;
    if (planned) continue;
    // A token that waits takes 2 bytes a value: 2 caches x 2 layers x 2 heads x 8.
    const std::int64_t before =
        i == 0 ? result->prefill_step.resident_bytes : result->steps[i - 1].resident_bytes;
    EXPECT_EQ(step.resident_bytes - before, 2 * 2 * 2 * 8 * 2);
  }
}

void expect_same(const StreamingResult& a, const StreamingResult& b) {
  EXPECT_EQ(streaming_steps_json(a), streaming_steps_json(b));
  EXPECT_EQ(streaming_totals_json(a), streaming_totals_json(b));
  for (const auto& [x, y] : {std::pair{&a.key, &b.key}, {&a.value, &b.value}}) {
    EXPECT_TRUE(same_bytes<std::uint8_t>(x->bits.view(), y->bits.view()));
    EXPECT_TRUE(same_bytes<float>(x->values.view(), y->values.view()));
  }
  EXPECT_TRUE(same_bytes<float>(a.attention_error.view(), b.attention_error.view()));
  EXPECT_TRUE(same_bytes<float>(a.output_error.view(), b.output_error.view()));
}

TEST(Streaming, WithoutMemoryIsAWindowOfOne) {
  const MemoryCapture capture = synthetic_capture();
  StreamingOptions one{lively_params(), {}, kPrefill};
  one.params.key.last_n_attentions = one.params.value.last_n_attentions = 1;
  const SharedStreaming window = stream(capture, one);
  EXPECT_GT(changes_of(*window).promotions, 0);
  QaqParams forgetful = lively_params();
  forgetful.key.beta = forgetful.value.beta = 0;
  for (const ImportanceRule rule : {ImportanceRule::ema, ImportanceRule::decayed_max}) {
    expect_same(*stream(capture, {forgetful, {.importance = rule}, kPrefill}), *window);
  }
  // With memory they are something else.
  const auto with_memory = [&](ImportanceRule rule) {
    return streaming_steps_json(
        *stream(capture, {lively_params(), {.importance = rule}, kPrefill}));
  };
  EXPECT_NE(with_memory(ImportanceRule::ema), streaming_steps_json(*window));
  EXPECT_NE(with_memory(ImportanceRule::decayed_max), with_memory(ImportanceRule::ema));
  EXPECT_NE(with_memory(ImportanceRule::accumulated), with_memory(ImportanceRule::decayed_max));
}

TEST(Streaming, SameBytesOnAnyNumberOfThreads) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 60});
  const auto on = [&](int n_threads) {
    set_thread_count(n_threads);
    const SharedStreaming result = stream(capture, {lively_params(), {}, 20});
    set_thread_count(0);
    return result;
  };
  const SharedStreaming one = on(1);
  expect_same(*on(2), *one);
  expect_same(*on(5), *one);
}

TEST(Streaming, ErrorsAreOfTheCacheAsItStood) {
  const MemoryCapture capture = synthetic_capture();
  // Nothing is planned behind the prompt, so every row meets what a batch replay makes of it.
  const StreamingOptions options{with_stride(lively_params(), 1000), {}, kPrefill};
  const SharedStreaming result = stream(capture, options);
  const SharedReplay batch = replay(capture, {lively_params(), kPrefill});
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    for (std::int64_t head = 0; head < 4; ++head) {
      for (std::int64_t s = kPrefill; s < kTokens; ++s) {
        const float scores = batch->attention_error(layer, head, s);
        const float outputs = batch->output_error(layer, head, s);
        EXPECT_GT(outputs, 0);
        // The same products in blocks of another size; differences of 1e-4 carry their rounding.
        EXPECT_NEAR(result->attention_error(layer, head, s - kPrefill), scores, 2e-3 * scores);
        EXPECT_NEAR(result->output_error(layer, head, s - kPrefill), outputs, 2e-3 * outputs);
      }
    }
  }
  // The first step's row comes before its plan, whatever that changes.
  const SharedStreaming planned = stream(capture, {lively_params(), {}, kPrefill});
  EXPECT_EQ(planned->steps[0].output_error, result->steps[0].output_error);
  EXPECT_NE(planned->steps[1].output_error, result->steps[1].output_error);
}

TEST(Streaming, EveryRowMeetsAPrefixPlannedBeforeIt) {
  const MemoryCapture capture = synthetic_capture();
  const QaqParams params = lively_params();
  const SharedStreaming result =
      stream(capture, {params, {.demote_from = DemoteFrom::cpu}, kPrefill});
  for (std::int64_t s = kPrefill; s < kTokens; ++s) {
    const SharedReplay batch = replay(capture, {params, s});
    const auto i = static_cast<std::size_t>(s - kPrefill);
    const StreamingStep& before = s == kPrefill ? result->prefill_step : result->steps[i - 1];
    EXPECT_NEAR(before.key_mean_bits, batch->key.mean_bits, 1e-6);
    EXPECT_NEAR(before.value_mean_bits, batch->value.mean_bits, 1e-6);
    double scores = 0, outputs = 0;
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      for (std::int64_t head = 0; head < 4; ++head) {
        scores += batch->attention_error(layer, head, s);
        outputs += batch->output_error(layer, head, s);
      }
    }
    EXPECT_NEAR(result->steps[i].attention_error, scores / static_cast<double>(8 * (s + 1)),
                1e-5 * scores);
    EXPECT_NEAR(result->steps[i].output_error, outputs / 8, 1e-5 * outputs);
  }
}

TEST(Streaming, AccountsForBothWays) {
  const MemoryCapture capture = synthetic_capture();
  StreamingOptions options{lively_params(), {}, kPrefill};
  const SharedStreaming result = stream(capture, options);
  const std::int64_t token = 2 * 2 * 2 * 8 * 2;  // caches, layers, heads, channels, bytes
  EXPECT_EQ(result->prefill_step.d2h.bytes, kPrefill * token);
  EXPECT_EQ(result->prefill_step.h2d.bytes, 0);
  EXPECT_EQ(result->full_bytes, kTokens * token);
  for (const StreamingStep& step : result->steps) {
    EXPECT_EQ(step.d2h.bytes, token);
    EXPECT_EQ(step.d2h.count, 2 * 2 * 2);
    EXPECT_EQ(step.host_bytes, (step.token + 1) * token);
    EXPECT_EQ(step.h2d.bytes, (step.key.promotions + step.value.promotions) * 8 * 2);
    EXPECT_EQ(step.h2d.count, step.key.fetched + step.value.fetched);
    EXPECT_DOUBLE_EQ(step.h2d_seconds, static_cast<double>(step.h2d.count) * 10e-6 +
                                           static_cast<double>(step.h2d.bytes) / 25e9);
    EXPECT_EQ(step.stall_seconds, step.h2d_seconds);
  }
  std::int64_t unit_steps = 0;
  for (std::int64_t s = kPrefill; s < kTokens; ++s) unit_steps += (s + 1) * 2 * 2 * 2;
  EXPECT_EQ(result->unit_steps, unit_steps);
  // A cache that is left exact costs its whole size and moves nothing back.
  options.params.key.level = Level::no_quantization;
  const SharedStreaming exact = stream(capture, options);
  EXPECT_EQ(exact->steps.back().key.requantized_values, 0);
  Replayer replayer(capture);
  const PlannedCaches plans = replayer.plans({lively_params()});
  const std::int64_t packed = packed_bytes(plans.key.plan, plans.key.stats,
                                           packed_format(plans.key.plan.quantizer, DType::f16))
                                  .total();
  EXPECT_EQ(exact->steps.back().resident_bytes - result->steps.back().resident_bytes,
            kTokens * token / 2 - packed);
  EXPECT_EQ(exact->key.bits(0, 0, 0), 16);
}

TEST(Streaming, ATokenOfLlama2TakesHalfAMebibyte) {
  const ModelShape shape = llama2_7b().shape;
  EXPECT_EQ(token_bytes({shape.n_layers, shape.n_kv_heads, 1, shape.head_dim}), 524288);
}

TEST(Streaming, BeginsBehindThePromptOrInTheMiddle) {
  const SyntheticShape shape;
  CaptureInfo info = synthetic_info(shape);
  EXPECT_EQ(stream(synthetic_capture(), {})->prefill, 12);
  info.n_prompt = 20;
  EXPECT_EQ(stream(MemoryCapture(info, synthetic_arrays(shape, 1)), {})->prefill, 20);
}

std::string usage(const std::function<void()>& action) {
  try {
    action();
    return "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
    return error.what();
  }
}

TEST(Streaming, RefusesWhatItCannotReplay) {
  const MemoryCapture whole = synthetic_capture();
  EXPECT_EQ(usage([&] {
              stream(whole, {{}, {.loop = StreamingLoop::closed}});
            }),
            "loop: closed needs a model that answers to the quantized cache, which a capture alone "
            "is not; set loop=open, or run a model: qaq run --policy qaq");
  EXPECT_EQ(usage([&] {
              stream(whole, {{}, {}, 24});
            }),
            "--prefill: 24 leaves nothing to decode of 24 tokens; give 1 to 23");
  QaqParams endless;
  endless.value.beta = 1;
  EXPECT_EQ(usage([&] { stream(whole, {endless, {}}); }).substr(0, 11), "value.beta:");

  const MemoryCapture window = synthetic_capture({}, 1, 10);  // rows 14 to 23
  EXPECT_EQ(refusal([&] {
              stream(window, {{}, {}, 12});
            }),
            "synthetic.h5: /entry/attention: lacks the attention rows 7 to 13 that the prompt's "
            "bits follow from; capture again with --attention derive, or --prefill 19");
  EXPECT_EQ(refusal([&] { stream(window, {{}, {}, 19}); }), "taken");
  EXPECT_EQ(refusal([&] {
              stream(window, {{}, {.importance = ImportanceRule::ema}, 19});
            }),
            "synthetic.h5: /entry/attention: lacks the attention rows 0 to 13 that the prompt's "
            "bits follow from; capture again with --attention derive, or --set "
            "importance=window_max");

  CaptureInfo info = synthetic_info({});
  MemoryCapture::Arrays arrays = synthetic_arrays({}, 1);
  info.has_queries = false;
  arrays.query.clear();
  const MemoryCapture no_queries(std::move(info), std::move(arrays));
  EXPECT_FALSE(stream(no_queries, {})->has_errors);
  QaqParams measured;
  measured.key.q_norm = RealOrAuto::automatic();
  EXPECT_EQ(refusal([&] { stream(no_queries, {.params = measured}); }),
            "synthetic.h5: /entry/query: holds no queries, which key.q_norm=auto is measured on; "
            "capture again without --no-queries, or --set key.q_norm=300");
  EXPECT_EQ(refusal([&] { stream(synthetic_capture({.n_tokens = 1}), {}); }),
            "synthetic.h5: holds 1 token, which leaves none to decode; capture at least 2");
}

TEST(Streaming, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(stream(synthetic_capture(), {}, Work(nullptr, source.get_token())), Error);
}

}  // namespace
}  // namespace qaq::test
