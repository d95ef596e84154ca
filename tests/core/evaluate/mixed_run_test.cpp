// A cache put together cell by cell, on a tiny model: against runs that were made another way.
#include "core/evaluate/mixed_run.h"

#include <cmath>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/evaluate/prefix_run.h"
#include "core/replay/replayer.h"
#include "tests/core/evaluate/tiny_runs.h"

namespace qaq {
namespace {

constexpr std::int64_t kPrefix = 33, kTokens = 40;

struct TinyMix {
  std::vector<std::int32_t> ids = test::token_ids(kTokens);
  MixedRun run{test::opener(test::tiny_llama(), kTokens), {ids, kPrefix}, DType::f32, {}};

  CacheSource quantized(const QaqParams& params) const {
    Replayer replayer(run.capture());
    const PlannedCaches plans = replayer.plans({params, kPrefix});
    CacheSource out;
    for (std::int64_t layer = 0; layer < run.spec().shape.n_layers; ++layer) {
      out.key.push_back(quantized_layer(run.capture(), plans.key, layer));
      out.value.push_back(quantized_layer(run.capture(), plans.value, layer));
    }
    return out;
  }
};

TEST(MixedRun, TheExactMixGivesThePlainPassAgain) {
  TinyMix tiny;
  const auto plain = test::opener(test::tiny_llama(), kTokens)();
  const std::span<const std::int32_t> all(tiny.ids);
  plain->run(all.first(kPrefix));
  plain->run(all.subspan(kPrefix));
  const auto last = tiny.run.reference(tiny.run.n_rows() - 1);
  // Where nothing taps, the last row's logits are a product of their own.
  for (std::size_t i = 0; i < last.size(); ++i) EXPECT_NEAR(last[i], plain->logits()[i], 1e-5);
  for (const MixedScore& each : tiny.run.replay_rows(tiny.run.mix(MixedRun::kExact), {})) {
    EXPECT_EQ(each.score.kl, 0);
    EXPECT_EQ(each.score.max_change, 0);
    EXPECT_EQ(each.rank, 1);
    EXPECT_EQ(each.got, each.expected);
  }
  EXPECT_EQ(tiny.run.n_replays(), 1);
}

TEST(MixedRun, TheSettingsMixIsThePrefixRun) {
  TinyMix tiny;
  tiny.run.set_source(1, tiny.quantized(test::coarse_params()));
  const auto ours = tiny.run.replay_rows(tiny.run.mix(1), {});
  PrefixRun prefix(test::opener(test::tiny_llama(), kTokens), {test::coarse_params()});
  const std::span<const std::int32_t> all(tiny.ids);
  prefix.set_prefix(all.first(kPrefix), {});
  const std::vector<std::int32_t> unknown(kTokens - kPrefix, -1);
  const auto theirs = prefix.run_tail({all.subspan(kPrefix), unknown, false}, {});
  ASSERT_EQ(ours.size(), theirs[0].positions.size());
  double most = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].score.kl, theirs[0].positions[i].kl);
    EXPECT_EQ(ours[i].score.same_top, theirs[0].positions[i].same_top);
    most = std::max(most, ours[i].score.kl);
    const MixedScore alone = tiny.run.replay(tiny.run.mix(1), static_cast<std::int64_t>(i), {});
    EXPECT_NEAR(alone.score.kl, ours[i].score.kl, 1e-6);
    EXPECT_EQ(alone.got, ours[i].got);
  }
  EXPECT_GT(most, 0.01);
}

// Cells of one side, layer, head and token are what an engine reads there, and no others.
TEST(MixedRun, ACellIsTakenFromItsSource) {
  TinyMix tiny;
  const ModelShape& s = tiny.run.spec().shape;
  const CacheSource coarse = tiny.quantized(test::coarse_params());
  tiny.run.set_source(1, coarse);
  Mix mix = tiny.run.mix(MixedRun::kExact);
  const std::int64_t layer = 1, head = 1, token = 5;
  mix(1, layer, head, token) = 1;
  const MixedScore ours = tiny.run.replay(mix, 3, {});

  const auto plain = test::opener(test::tiny_llama(), kTokens)();
  plain->resume(kPrefix, [&](std::int64_t at) {
    const auto value = tiny.run.capture().value(at);
    NdArray<float, 3> changed = value->copy();
    if (at == layer) {
      const auto row = coarse.value[static_cast<std::size_t>(at)]->sub(head, token).span();
      std::ranges::copy(row, changed.sub(head, token).data());
    }
    return Engine::LayerCache{tiny.run.capture().key(at),
                              std::make_shared<const NdArray<float, 3>>(std::move(changed))};
  });
  plain->run(std::span<const std::int32_t>(tiny.ids).subspan(kPrefix, 4));
  const MixedScore theirs = mixed_score(tiny.run.reference(3), plain->logits());
  EXPECT_GT(theirs.score.kl, 0);
  EXPECT_EQ(ours.score.kl, theirs.score.kl);
  EXPECT_EQ(mix.size(), 2 * s.n_layers * s.n_kv_heads * kPrefix);
}

TEST(MixedRun, ScoresByHand) {
  // p = e^2, e^1, e^0 over their sum; on the mixed cache the first two change places.
  const std::vector<float> reference{2, 1, 0}, mixed{1, 2, 1};
  const MixedScore out = mixed_score(reference, mixed);
  const double sum = std::exp(2.0) + std::exp(1.0) + 1, other = std::exp(2.0) + 2 * std::exp(1.0);
  EXPECT_EQ(out.expected, 0);
  EXPECT_EQ(out.got, 1);
  EXPECT_EQ(out.rank, 2) << "the third is equal, but behind it";
  EXPECT_NEAR(out.p_before, std::exp(2.0) / sum, 1e-12);
  EXPECT_NEAR(out.p_after, std::exp(1.0) / other, 1e-12);
  EXPECT_NEAR(out.score.margin, 1, 1e-12);
  EXPECT_EQ(mixed_score(reference, std::vector<float>{1, 1, 1}).rank, 1) << "ties: the lower id";
  EXPECT_EQ(mixed_score(mixed, std::vector<float>{2, 1, 1}).rank, 2);
}

TEST(MixedRun, RefusesAPrefixWithoutRowsBehindIt) {
  const auto ids = test::token_ids(5);
  for (const std::int64_t n : {0, 5, 6}) {
    EXPECT_THROW(MixedRun(test::opener(test::tiny_llama(), 8), {ids, n}, DType::f32, {}), Error);
  }
}

}  // namespace
}  // namespace qaq
