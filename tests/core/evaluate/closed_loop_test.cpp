// Decoding on a cache that is quantized as it grows: against the plain engine, against the open
// loop on what the closed one saw, and the invariants of section 5 of the mathematics.
#include "core/evaluate/closed_loop.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/engine/cpu_ops.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/quantize.h"
#include "core/replay/memory_capture.h"
#include "core/replay/replayer.h"
#include "tests/core/evaluate/tiny_runs.h"
#include "tests/support/every_other.h"
#include "tests/support/tap_recorder.h"

namespace qaq::test {
namespace {

constexpr std::size_t kPrompt = 12, kTokens = 40;

std::shared_ptr<const ModelFile> tiny_mistral() {
  return open_model(test_data_path("oracle/tiny_mistral"));
}

// Parameters under which bits change from step to step.
QaqParams lively_params() {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->outliers_ratio = 0.1;
    side->target_quantization_error = 0.1;
    side->last_n_attentions = 3;
  }
  params.key.q_norm = 30.0;
  return params;
}

StreamingParams closed(StreamingParams params = {}) {
  params.loop = StreamingLoop::closed;
  return params;
}

std::unique_ptr<ClosedLoop> closed_loop(const std::shared_ptr<const ModelFile>& model,
                                        const DecodePolicy& policy) {
  return std::make_unique<ClosedLoop>(opener(model, kTokens)(), policy);
}

// Prompt and all other tokens.
void run_all(ClosedLoop& loop) {
  const auto ids = token_ids(kTokens);
  loop.prefill(std::span(ids).first(kPrompt), {});
  for (std::size_t i = kPrompt; i < ids.size(); ++i) loop.decode(ids[i], {});
}

SharedArray<float, 3> copy_of(const NdView<const float, 3>& layer) {
  NdArray<float, 3> out(layer.shape());
  std::ranges::copy(layer.span(), out.data());
  return std::make_shared<const NdArray<float, 3>>(std::move(out));
}

std::vector<NdArray<float, 3>> layers_of(const NdArray<float, 4>& all) {
  std::vector<NdArray<float, 3>> out;
  for (std::int64_t layer = 0; layer < all.shape(0); ++layer) {
    out.push_back(copy_of(all.sub(layer))->copy());
  }
  return out;
}

// A capture of what a recorder saw of kTokens tokens.
MemoryCapture capture_of(const ModelSpec& spec, const TapRecorder& taps, DType dtype) {
  CaptureInfo info;
  info.name = spec.name;
  info.shape = spec.shape;
  info.n_tokens = kTokens;
  info.n_prompt = kPrompt;
  info.dtype = dtype;
  for (std::int32_t layer = 0; layer < spec.shape.n_layers; ++layer) {
    info.layers.push_back(layer);
    info.attention_windows.push_back(static_cast<std::int32_t>(spec.attention_window(layer)));
  }
  info.query_token.resize(kTokens);
  std::iota(info.query_token.begin(), info.query_token.end(), 0);
  return {std::move(info),
          {.key = layers_of(taps.key),
           .value = layers_of(taps.value),
           .query = layers_of(taps.query),
           .attention = layers_of(taps.attention)}};
}

TEST(ClosedLoop, WithoutQuantizationItGivesTheEnginesBytes) {
  for (const auto& model : {tiny_llama(), tiny_mistral()}) {
    const auto ids = token_ids(kTokens);
    const auto engine = opener(model, kTokens)();
    const auto loop = closed_loop(model, {exact_params()});
    engine->run(std::span(ids).first(kPrompt));
    loop->prefill(std::span(ids).first(kPrompt), {});
    EXPECT_TRUE(std::ranges::equal(engine->logits(), loop->logits()));
    for (std::size_t i = kPrompt; i < ids.size(); ++i) {
      engine->run({&ids[i], 1});
      loop->decode(ids[i], {});
      ASSERT_TRUE(std::ranges::equal(engine->logits(), loop->logits())) << i;
    }
    const DecodeFigures figures = loop->figures();
    EXPECT_EQ(figures.resident_bytes, figures.full_bytes);
    EXPECT_EQ(figures.unquantized_bytes(), figures.full_bytes);
    EXPECT_EQ(figures.h2d.bytes, 0);
    EXPECT_TRUE(loop->n_bits(CacheSide::key).empty());
  }
}

TEST(ClosedLoop, StepsAttendToSomeKeysWhereAsked) {
  const auto model = tiny_llama();
  DecodePolicy policy{lively_params()};
  const auto plain = closed_loop(model, policy);
  run_all(*plain);
  const auto logits_at = [&](std::int64_t top_k) {
    policy.params.sparse_top_k = top_k;
    const auto loop = closed_loop(model, policy);
    run_all(*loop);
    return std::vector<float>(loop->logits().begin(), loop->logits().end());
  };
  EXPECT_TRUE(std::ranges::equal(logits_at(kTokens), plain->logits()));
  EXPECT_FALSE(std::ranges::equal(logits_at(3), plain->logits()));
  // The prompt attends to all keys.
  const auto loop = closed_loop(model, policy), dense = closed_loop(model, {lively_params()});
  const auto ids = token_ids(kPrompt);
  loop->prefill(ids, {});
  dense->prefill(ids, {});
  EXPECT_TRUE(std::ranges::equal(loop->logits(), dense->logits()));
}

// The prompt meets no quantized cache.
TEST(ClosedLoop, ThePromptIsRunUnquantizedAndPlannedAsAReplayPlansIt) {
  const auto model = tiny_llama();
  const auto ids = token_ids(kTokens);
  const std::span<const std::int32_t> prompt = std::span(ids).first(kPrompt);
  const auto engine = opener(model, kTokens)(), tapped = opener(model, kTokens)();
  engine->run(prompt);
  TapRecorder taps(model->spec().shape, kTokens);
  tapped->run(prompt, &taps);
  const auto loop = closed_loop(model, {lively_params()});
  loop->prefill(prompt, {});
  EXPECT_TRUE(std::ranges::equal(engine->logits(), loop->logits()));

  const MemoryCapture capture = capture_of(model->spec(), taps, DType::f32);
  Replayer replayer(capture);
  const PlannedCaches plans = replayer.plans({lively_params(), kPrompt});
  EXPECT_EQ(loop->n_bits(CacheSide::key), plans.key.plan.n_bits);
  EXPECT_EQ(loop->n_bits(CacheSide::value), plans.value.plan.n_bits);
  EXPECT_EQ(loop->figures().steps, 0);
  EXPECT_EQ(loop->figures().prompt.h2d.bytes, 0);
}

// A prompt of all tokens is quantized and thinned as a replay does it at once.
TEST(ClosedLoop, APromptOfAllTokensIsABatch) {
  const auto model = tiny_llama();
  const auto ids = token_ids(kTokens);
  TapRecorder taps(model->spec().shape, kTokens);
  opener(model, kTokens)()->run(ids, &taps);
  const MemoryCapture capture = capture_of(model->spec(), taps, DType::f32);
  const auto kivi =
      make_policy("kivi", std::vector<std::string>{"group_size=8", "residual_length=16"});
  for (const auto& policy :
       {make_policy("full", {}), make_policy("uniform", {}), kivi, every_other(3),
        with_evicting("uniform", 3), with_evicting("qaq", 3), make_policy("qaq", {})}) {
    SCOPED_TRACE(policy->name());
    const auto loop = closed_loop(model, {.policy = policy});
    loop->prefill(ids, {});
    Replayer replayer(capture);
    const PlannedCaches plans = replayer.plans({{}, 0, policy});
    if (policy->retention()) {
      ASSERT_TRUE(loop->kept());
      EXPECT_TRUE(std::ranges::equal(loop->kept()->span(), plans.key.plan.kept->span()));
    }
    for (const auto& [side, plan] :
         {std::pair{CacheSide::key, &plans.key}, {CacheSide::value, &plans.value}}) {
      for (std::int64_t layer = 0; layer < model->spec().shape.n_layers; ++layer) {
        const auto batch = quantized_layer(capture, *plan, layer);
        for (std::int64_t head = 0; head < batch->shape(0); ++head) {
          for (std::int64_t t = 0; t < batch->shape(1); ++t) {
            if (!plan->plan.is_kept(layer, head, t)) continue;
            ASSERT_TRUE(std::ranges::equal(loop->cache(side).layer(layer).sub(head, t).span(),
                                           batch->sub(head, t).span()));
          }
        }
      }
    }
    const SharedReplay sizes = replayer.planned({{}, 0, policy});
    const DecodeFigures figures = loop->figures();
    EXPECT_DOUBLE_EQ(figures.kept_share, static_cast<double>(sizes->key.n_kept) /
                                             static_cast<double>(sizes->key.n_values));
  }
}

struct Setting {
  std::string name;
  DecodePolicy policy;
};

QaqParams with_stride(QaqParams params, int plan_stride) {
  params.plan_stride = plan_stride;
  return params;
}

DecodePolicy by(std::shared_ptr<const CachePolicy> policy, DType dtype = DType::f32) {
  return {.dtype = dtype, .policy = std::move(policy)};
}

// Groups that the prompt fills once, and decoding again.
std::shared_ptr<const CachePolicy> small_kivi() {
  return make_policy("kivi", std::vector<std::string>{"group_size=8", "residual_length=8"});
}

std::vector<Setting> settings() {
  const QaqParams lively = lively_params();
  QaqParams layer = lively, token = lively, automatic = lively, bound = lively, one_side = lively;
  layer.key.level = layer.value.level = Level::layer;
  token.key.level = token.value.level = Level::token;
  token.key.target_quantization_error = token.value.target_quantization_error = 0.03;
  automatic.key.q_norm = RealOrAuto::automatic();
  for (QaqSideParams* side : {&bound.key, &bound.value}) side->variant = Variant::bound;
  bound.key.bound_target = BoundTarget::output;
  bound.value.bits_rule = BitsRule::measured;
  one_side.key.level = Level::no_quantization;
  QaqParams fading = lively, average = lively, adaptive = lively, coarse = lively;
  fading.key.beta = fading.value.beta = 0.5;
  for (QaqSideParams* side : {&average.key, &average.value}) side->sensitivity = Sensitivity::ema;
  for (QaqSideParams* side : {&adaptive.key, &adaptive.value}) {
    side->window_rule = WindowRule::adaptive;
  }
  coarse.head_stride = 2;
  coarse.block_size = 4;
  return {{"default", {lively}},
          {"stride", {with_stride(lively, 3)}},
          {"wait", {lively, closed({.promote_hysteresis = 1, .demote_patience = 2})}},
          {"ema", {lively, closed({.importance = ImportanceRule::ema})}},
          {"fading", {fading, closed({.importance = ImportanceRule::decayed_max})}},
          {"sum", {lively, closed({.importance = ImportanceRule::accumulated})}},
          {"from the host", {lively, closed({.demote_from = DemoteFrom::cpu})}},
          {"equals", {lively, closed({.refetch_equal = true})}},
          {"history", {lively, closed({.requantize_history = true})}},
          {"layer", {layer, closed({.fetch_granularity = FetchGranularity::layer})}},
          {"token", {token}},
          {"auto", {automatic}},
          {"bound", {bound}},
          {"values alone", {one_side}},
          {"average", {average}},
          {"adaptive", {adaptive}},
          {"coarse", {coarse}},
          {"f16", {with_stride(lively, 2), closed(), DType::f16}},
          {"bf16", {one_side, closed(), DType::bf16}},
          {"full", by(make_policy("full", {}))},
          {"uniform", by(make_policy("uniform", {}))},
          {"kivi", by(small_kivi())},
          {"kivi in f16", by(small_kivi(), DType::f16)},
          {"evicting", by(every_other(3))},
          {"evicting in f16", by(every_other(3), DType::f16)},
          {"uniform of what is left", by(with_evicting("uniform", 3))},
          {"qaq of what is left", by(std::make_shared<ComposedPolicy>(
                                      std::make_shared<QaqPolicy>(lively), every_other(3)))}};
}

// A plain engine that goes on, token by token, behind a copy of what the closed loop holds meets
// the same cache, so it gives the same logits; and what is tapped of it, put into a capture and
// replayed by the open loop, leads to the same plans.
TEST(ClosedLoop, TheOpenLoopOnWhatItSawDoesTheSame) {
  const auto ids = token_ids(kTokens);
  std::int64_t n_promotions = 0;
  for (const auto& model : {tiny_llama(), tiny_mistral()}) {
    const ModelSpec& spec = model->spec();
    for (const Setting& setting : settings()) {
      SCOPED_TRACE(spec.name + ", " + setting.name);
      const auto loop = closed_loop(model, setting.policy);
      const auto engine = opener(model, kTokens)();
      TapRecorder taps(spec.shape, kTokens);
      engine->run(std::span(ids).first(kPrompt), &taps);
      loop->prefill(std::span(ids).first(kPrompt), {});
      for (std::size_t i = kPrompt; i < ids.size(); ++i) {
        engine->resume(static_cast<std::int64_t>(i), [&](std::int64_t layer) {
          return Engine::LayerCache{copy_of(loop->cache(CacheSide::key).layer(layer)),
                                    copy_of(loop->cache(CacheSide::value).layer(layer))};
        });
        engine->set_kept(loop->kept());
        engine->run({&ids[i], 1}, &taps);
        loop->decode(ids[i], {});
        ASSERT_TRUE(std::ranges::equal(engine->logits(), loop->logits())) << i;
      }

      StreamingOptions options{setting.policy.params, setting.policy.streaming, kPrompt};
      options.streaming.loop = StreamingLoop::open;
      options.policy = setting.policy.policy;
      const SharedStreaming open = stream(capture_of(spec, taps, setting.policy.dtype), options);
      const DecodeFigures ours = loop->figures();
      for (const auto& [side, theirs] :
           {std::pair{CacheSide::key, &open->key}, {CacheSide::value, &open->value}}) {
        const UnitLayout& layout = loop->cache(side).held().layout;
        const std::vector<std::uint8_t> n_bits = loop->n_bits(side);
        for (std::int64_t layer = 0; layer < spec.shape.n_layers; ++layer) {
          EXPECT_TRUE(std::ranges::equal(loop->cache(side).layer(layer).span(),
                                         theirs->values.sub(layer).span()));
          for (std::int64_t head = 0; head < spec.shape.n_kv_heads && !n_bits.empty(); ++head) {
            for (std::int64_t t = 0; t < layout.shape().n_tokens; ++t) {
              if (!loop->cache(side).held().is_kept(layer, head, t)) {
                ASSERT_EQ(theirs->bits(layer, head, t), CacheReplay::kEvicted);
                continue;
              }
              ASSERT_EQ(n_bits[static_cast<std::size_t>(layout.unit(layer, head, t))],
                        theirs->bits(layer, head, t));
            }
          }
        }
      }
      const auto totals = streaming_totals_json(*open);
      auto figures = decode_figures_json(ours);
      for (const char* name :
           {"steps", "d2h_bytes", "d2h_transfers", "h2d_bytes", "h2d_transfers",
            "final_resident_bytes", "peak_resident_bytes", "full_bytes", "ratio_resident",
            "modelled_h2d_seconds", "modelled_stall_seconds", "kept_share", "prefill"}) {
        EXPECT_EQ(figures[name], totals[name]) << name;
      }
      for (const char* side : {"key", "value"}) {
        figures[side].erase("packed_bytes");
        EXPECT_EQ(figures[side], totals[side]);
      }
      n_promotions += ours.key.promotions + ours.value.promotions;
    }
  }
  EXPECT_GT(n_promotions, 100);
}

TEST(ClosedLoop, DemotedFromTheHostItIsQuantizedAtOnce) {
  const auto model = tiny_llama();
  const ModelShape& s = model->spec().shape;
  const auto loop = closed_loop(model, {lively_params(), closed({.demote_from = DemoteFrom::cpu})});
  run_all(*loop);
  ASSERT_GT(loop->figures().value.promotions, 0);
  ASSERT_GT(loop->figures().h2d.bytes, 0);
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const Plan& plan = loop->cache(side).held();
    ASSERT_EQ(plan.layout.shape().n_tokens, static_cast<std::int64_t>(kTokens));
    const auto exact = loop->exact().of(side);
    std::vector<UnitStats> stats(plan.n_bits.size());
    fill_unit_stats(plan.layout, plan.quantizer, 0, exact, stats);
    for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
      NdArray<float, 3> at_once({s.n_kv_heads, kTokens, s.head_dim});
      quantize_layer(plan, stats, layer, exact[static_cast<std::size_t>(layer)],
                     {at_once.view(), {}, {}});
      EXPECT_TRUE(std::ranges::equal(at_once.span(), loop->cache(side).layer(layer).span()));
    }
  }
}

TEST(ClosedLoop, BitsThatCannotMoveAreGivenOnce) {
  const auto model = tiny_llama();
  const ModelShape& s = model->spec().shape;
  QaqParams params = lively_params();
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->n_bits_min = side->n_bits_max = 3;
  }
  const auto loop = closed_loop(model, {params});
  run_all(*loop);
  const DecodeFigures figures = loop->figures();
  EXPECT_EQ(figures.key.promotions + figures.value.promotions, 0);
  const std::int64_t per_token = s.n_layers * s.n_kv_heads;
  EXPECT_EQ(figures.prompt.key.demotions, static_cast<std::int64_t>(kPrompt) * per_token);
  EXPECT_EQ(figures.value.demotions, static_cast<std::int64_t>(kTokens - kPrompt) * per_token);
  EXPECT_EQ(figures.key_mean_bits, 3);
  EXPECT_EQ(figures.d2h.bytes,
            static_cast<std::int64_t>(kTokens - kPrompt) * 2 * per_token * s.head_dim * 2);
  // Codes of 3 bits, scale and base, and as bits do not vary no map and no offsets.
  const std::int64_t n_units = static_cast<std::int64_t>(kTokens) * per_token;
  EXPECT_EQ(figures.key_bytes.payload, n_units * ((3 * s.head_dim + 7) / 8));
  EXPECT_EQ(figures.key_bytes.scales, n_units * 8);
  EXPECT_EQ(figures.key_bytes.bit_map + figures.key_bytes.offsets, 0);
  EXPECT_EQ(figures.resident_bytes, figures.key_bytes.total() + figures.value_bytes.total());
}

TEST(ClosedLoop, TokensWaitUnquantizedForTheNextPlan) {
  const auto model = tiny_llama();
  const ModelShape& s = model->spec().shape;
  const auto loop = closed_loop(model, {with_stride(lively_params(), 5)});
  run_all(*loop);  // 28 steps: the last plan came with the 25th
  const std::int64_t token = 2 * s.n_layers * s.n_kv_heads * s.head_dim * 2;
  EXPECT_EQ(loop->figures().unquantized_bytes(), 3 * token);
  EXPECT_EQ(loop->cache(CacheSide::key).held().layout.shape().n_tokens, 37);
  EXPECT_EQ(loop->n_tokens(), 40);
}

double largest_change(const QaqParams& params, DType dtype = DType::f32) {
  const auto model = tiny_llama();
  const auto ids = token_ids(kTokens);
  const auto engine = opener(model, kTokens)();
  const auto loop = closed_loop(model, {params, closed(), dtype});
  engine->run(std::span(ids).first(kPrompt));
  loop->prefill(std::span(ids).first(kPrompt), {});
  double largest = 0;
  for (std::size_t i = kPrompt; i < ids.size(); ++i) {
    engine->run({&ids[i], 1});
    loop->decode(ids[i], {});
    for (std::size_t v = 0; v < engine->logits().size(); ++v) {
      largest = std::max<double>(largest, std::abs(engine->logits()[v] - loop->logits()[v]));
    }
  }
  return largest;
}

TEST(ClosedLoop, ManyBitsAreNearlyTheWholeCache) {
  QaqParams params = coarse_params();
  const double two_bits = largest_change(params);
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->n_bits_uniform = 16;
    side->range_rule = RangeChoice::midpoint;
  }
  const double sixteen_bits = largest_change(params);
  EXPECT_GT(sixteen_bits, 0);
  EXPECT_LT(sixteen_bits, 1e-3 * two_bits);
  // Half precision alone is a change of that size, too.
  const double half = largest_change(exact_params(), DType::f16);
  EXPECT_GT(half, 0);
  EXPECT_LT(half, 2e-2 * two_bits);
}

TEST(ClosedLoop, SameBytesOnAnyNumberOfThreads) {
  const auto on = [&](int n_threads) {
    set_thread_count(n_threads);
    auto loop = closed_loop(tiny_llama(), {lively_params()});
    run_all(*loop);
    set_thread_count(0);
    return loop;
  };
  const auto one = on(1), three = on(3);
  EXPECT_TRUE(std::ranges::equal(one->logits(), three->logits()));
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    EXPECT_EQ(one->n_bits(side), three->n_bits(side));
    for (std::int64_t layer = 0; layer < one->exact().shape.n_layers; ++layer) {
      EXPECT_TRUE(std::ranges::equal(one->cache(side).layer(layer).span(),
                                     three->cache(side).layer(layer).span()));
    }
  }
}

TEST(ClosedLoop, ItsMemoryIsKnownBeforehand) {
  const ModelShape s = tiny_llama()->spec().shape;
  DecodePolicy policy{lively_params()};
  const std::int64_t a_cache = 4 * s.n_layers * s.n_kv_heads * 100 * s.head_dim;
  EXPECT_EQ(ClosedLoop::cache_bytes(s, policy, 100), 4 * a_cache);
  policy.params.key.q_norm = RealOrAuto::automatic();
  EXPECT_EQ(ClosedLoop::cache_bytes(s, policy, 100), 4 * a_cache + a_cache * s.group_size());
}

std::string refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ClosedLoop, RefusesWhatItCannotDo) {
  const auto model = tiny_llama();
  EXPECT_NE(refusal([&] {
              closed_loop(model, {{}, {.loop = StreamingLoop::open}});
            }).find("qaq replay --streaming"),
            std::string::npos);
  QaqParams crossed;
  crossed.key.n_bits_min = 9;
  EXPECT_NE(refusal([&] { closed_loop(model, {crossed}); }), "");
  const auto full = closed_loop(model, {lively_params()});
  run_all(*full);
  EXPECT_NE(refusal([&] { full->decode(1, {}); }).find("opened for 40"), std::string::npos);

  // A backend that has no such operation.
  struct Whole : CpuOps {
    using CpuOps::CpuOps;
    void replace_rows(std::int64_t layer, std::span<const CacheRow> rows) override {
      Ops::replace_rows(layer, rows);
    }
  };
  const EngineLimits limits{kTokens, kTokens};
  ClosedLoop loop(
      std::make_unique<Engine>(model, std::make_unique<Whole>(model->spec(), limits), limits),
      {lively_params()});
  const auto ids = token_ids(kPrompt);
  EXPECT_NE(refusal([&] { loop.prefill(ids, {}); }).find("--device cpu"), std::string::npos);
}

}  // namespace
}  // namespace qaq::test
