// The model on a prefix that any policy quantizes and evicts from: what the tokens behind it see,
// by hand; what policies are shown; the rivals' order on the real model.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/evaluate/item_result.h"
#include "core/evaluate/prefix_run.h"
#include "core/evaluate/text_window.h"
#include "core/model/rope.h"
#include "tests/core/evaluate/tiny_runs.h"
#include "tests/support/every_other.h"
#include "tests/support/model_fixture.h"
#include "tests/support/tap_recorder.h"

namespace qaq::test {
namespace {

constexpr std::int64_t kTokens = 40, kPrefix = 24;

std::vector<TailScores> scores_of(PrefixRun& run, std::int64_t n_prefix = kPrefix) {
  const auto ids = token_ids(kTokens);
  const std::span<const std::int32_t> all(ids);
  run.set_prefix(all.first(static_cast<std::size_t>(n_prefix)), {});
  const std::vector<std::int32_t> next(static_cast<std::size_t>(kTokens - n_prefix), 3);
  return run.run_tail({all.subspan(static_cast<std::size_t>(n_prefix)), next}, {});
}

double mean_kl(const TailScores& scores) {
  double sum = 0;
  for (const PositionScore& p : scores.positions) sum += p.kl;
  return sum / static_cast<double>(scores.positions.size());
}

TEST(PolicyRun, WithoutQuantizationOrEvictionNothingChanges) {
  PrefixRun run(opener(tiny_llama(), kTokens),
                {make_policy("full", {}), every_other(0), with_evicting("full", 0)});
  const std::vector<TailScores> scores = scores_of(run);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(run.quantized(i).logits(), run.full().logits())) << i;
    EXPECT_EQ(scores[i].attention_squares, 0) << i;
    EXPECT_EQ(cache_figures(run.cache(i)).kept_share, 1) << i;
  }
}

TEST(PolicyRun, QaqByItsParametersIsQaq) {
  const std::vector<std::string> sets{"n_bits_max=5", "value.target_quantization_error=0.3"};
  QaqParams params;
  for (const std::string& each : sets) apply_assignment(params, each);
  PrefixRun policies(opener(tiny_llama(), kTokens), {make_policy("qaq", sets)}),
      plain(opener(tiny_llama(), kTokens), {params});
  const auto a = scores_of(policies), b = scores_of(plain);
  EXPECT_GT(mean_kl(a[0]), 0);
  for (std::size_t i = 0; i < a[0].positions.size(); ++i) {
    EXPECT_EQ(a[0].positions[i].kl, b[0].positions[i].kl);
  }
  EXPECT_EQ(policies.cache(0).key.packed, plain.cache(0).key.packed);
}

// The first layer's queries and keys know nothing of the cache: its rows behind the prefix follow
// from those of the exact run, in float64, with the evicted tokens left out of the softmax.
TEST(PolicyRun, EvictedTokensLeaveTheSoftmax) {
  const auto model = tiny_llama();
  const ModelShape& s = model->spec().shape;
  const auto ids = token_ids(kTokens);
  TapRecorder exact(s, kTokens), evicted(s, kTokens);
  opener(model, kTokens)()->run(ids, &exact);
  constexpr std::int64_t kModulus = 3;
  PrefixRun run(opener(model, kTokens), {every_other(kModulus)});
  const TailScores scores = scores_of(run)[0];
  run.quantized(0).keep(kPrefix);
  run.quantized(0).run(std::span(ids).subspan(kPrefix), &evicted);
  double deepest = 0;
  for (std::int64_t head = 0; head < s.n_heads; ++head) {
    const std::int64_t kv = head / s.group_size();
    for (std::int64_t row = kPrefix; row < kTokens; ++row) {
      std::vector<double> e(static_cast<std::size_t>(row + 1));
      double sum = 0;
      for (std::int64_t t = 0; t <= row; ++t) {
        if (t < kPrefix && !EveryOther::keeps(kModulus, 0, kv, t)) continue;
        double dot = 0;
        for (std::int64_t i = 0; i < s.head_dim; ++i) {
          dot += double{exact.query(0, head, row, i)} * exact.key(0, kv, t, i);
        }
        sum += e[static_cast<std::size_t>(t)] =
            std::exp(dot / std::sqrt(static_cast<double>(s.head_dim)));
      }
      for (std::int64_t t = 0; t <= row; ++t) {
        EXPECT_NEAR(evicted.attention(0, head, row, t), e[static_cast<std::size_t>(t)] / sum, 2e-6);
      }
      for (std::int64_t t = 0; t < kPrefix; ++t) {
        const bool gone = !EveryOther::keeps(kModulus, s.n_layers - 1, kv, t);
        ASSERT_EQ(evicted.attention(s.n_layers - 1, head, row, t) == 0.0f, gone);
        deepest += evicted.attention(s.n_layers - 1, head, row, t);
      }
    }
  }
  EXPECT_GT(deepest, 0);
  EXPECT_GT(mean_kl(scores), 1e-4);
  EXPECT_GT(scores.attention_squares, 0);
}

TEST(PolicyRun, KeepsOfACompositionItsBytesAndShare) {
  const auto model = tiny_llama();
  const ModelShape& s = model->spec().shape;
  PrefixRun run(opener(model, kTokens),
                {every_other(2), with_evicting("qaq", 2), make_policy("qaq", {})});
  const std::vector<TailScores> scores = scores_of(run);
  std::int64_t n_kept = 0;
  for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
    for (std::int64_t head = 0; head < s.n_kv_heads; ++head) {
      for (std::int64_t t = 0; t < kPrefix; ++t) n_kept += EveryOther::keeps(2, layer, head, t);
    }
  }
  const double share =
      static_cast<double>(n_kept) / static_cast<double>(s.n_layers * s.n_kv_heads * kPrefix);
  const CacheFigures evicted = cache_figures(run.cache(0)), both = cache_figures(run.cache(1)),
                     qaq = cache_figures(run.cache(2));
  EXPECT_DOUBLE_EQ(evicted.kept_share, share);
  EXPECT_DOUBLE_EQ(both.kept_share, share);
  EXPECT_EQ(qaq.kept_share, 1);
  // float32 numbers, and 4 bytes a key that say where it stands (section 8, common).
  EXPECT_DOUBLE_EQ(evicted.key_packed_bytes_per_token * kPrefix,
                   static_cast<double>(n_kept * (4 * s.head_dim + 4)));
  EXPECT_DOUBLE_EQ(evicted.value_packed_bytes_per_token * kPrefix,
                   static_cast<double>(n_kept * 4 * s.head_dim));
  EXPECT_LT(both.value_packed_bytes_per_token, qaq.value_packed_bytes_per_token);
  EXPECT_LT(both.value_packed_bytes_per_token, evicted.value_packed_bytes_per_token);
  // Each does what it does alone.
  PrefixRun alone(opener(model, kTokens), {with_evicting("qaq", 2)});
  EXPECT_EQ(mean_kl(scores_of(alone)[0]), mean_kl(scores[1]));
  EXPECT_NE(mean_kl(scores[0]), mean_kl(scores[1]));
}

TEST(PolicyRun, TheLastPrefixTokenMeetsWhatAShorterPrefixKeeps) {
  const auto model = tiny_llama();
  const auto ids = token_ids(kTokens);
  const std::span<const std::int32_t> all(ids);
  PrefixRun run(opener(model, kTokens), {with_evicting("uniform", 3)});
  run.set_prefix(all.first(kPrefix - 1), {});
  run.run_tail({all.subspan(kPrefix - 1, 1), std::vector<std::int32_t>{-1}}, {});
  const std::vector<float> expected(run.quantized(0).logits().begin(),
                                    run.quantized(0).logits().end());
  const auto before = scores_of(run);
  EXPECT_EQ(run.requantized_prefix_logits(0, {}), expected);
  const std::vector<std::int32_t> next(kTokens - kPrefix, 3);
  EXPECT_EQ(mean_kl(run.run_tail({all.subspan(kPrefix), next}, {})[0]), mean_kl(before[0]));
}

// Looks at everything that a policy can ask for.
class Curious : public EveryOther {
 public:
  Curious() : EveryOther(0) {}
  RetentionNeeds retention_needs() const override {
    return {.attention_rows = RetentionNeeds::kAllRows,
            .query = true,
            .key = true,
            .value = true,
            .rope = true};
  }
  std::unique_ptr<LayerRetention> open_layer(std::int64_t, const CacheShape&,
                                             std::int64_t) const override {
    return std::make_unique<Layer>(*this);
  }
  mutable std::int64_t n_layers = 0;

 private:
  class Layer : public LayerRetention {
   public:
    explicit Layer(const Curious& owner) : owner_(owner) {}
    void prompt(const PromptView& view, const NdView<std::uint8_t, 2>&) override {
      const auto model = tiny_llama();
      const ModelShape& s = model->spec().shape;
      EXPECT_EQ(view.layer, owner_.n_layers++);
      EXPECT_EQ(view.n_heads, s.n_heads);
      EXPECT_EQ(view.scores.shape(), (Shape<3>{s.n_heads, kPrefix, kPrefix}));
      EXPECT_EQ(view.query.shape(), (Shape<3>{s.n_heads, kPrefix, s.head_dim}));
      EXPECT_EQ(view.key.shape(), (Shape<3>{s.n_kv_heads, kPrefix, s.head_dim}));
      EXPECT_EQ(view.value.shape(), (Shape<3>{s.n_kv_heads, kPrefix, s.head_dim}));
      EXPECT_TRUE(std::ranges::equal(view.rope, rope_frequencies(model->spec().rope, kPrefix)));
      EXPECT_FALSE(view.rope.empty());
      for (std::int64_t head = 0; head < s.n_heads; ++head) {
        for (std::int64_t row = 0; row < kPrefix; ++row) {
          double sum = 0;
          for (const float score : view.scores.sub(head, row).span()) sum += score;
          ASSERT_NEAR(sum, 1, 1e-5);
        }
      }
    }
    void step(const StepView&, const NdView<std::uint8_t, 2>&) override {}

   private:
    const Curious& owner_;
  };
};

TEST(PolicyRun, ShowsAPolicyWhatItAsksForOfThePrefix) {
  const auto curious = std::make_shared<Curious>();
  PrefixRun run(opener(tiny_llama(), kTokens), PrefixRun::Settings{curious});
  scores_of(run);
  EXPECT_EQ(curious->n_layers, tiny_llama()->spec().shape.n_layers);
}

TEST(PolicyRun, OnTheRealModelMoreBitsAreNearerToTheWholeCache) {
  QAQ_SMOLLM2_OR_SKIP(path);
  constexpr std::int64_t kLength = 96;
  const auto model = open_model(path);
  std::vector<std::int32_t> text = token_ids(kLength);
  PrefixRun run(
      opener(model, kLength),
      {make_policy("full", {}), make_policy("q8_0", {}), make_policy("q4_0", {}),
       make_policy("kivi", std::vector<std::string>{"group_size=32", "residual_length=32"}),
       with_evicting("q8_0", 2)});
  const ItemResult item = score_window(run, text, {0, kLength, 64}, {});
  std::vector<double> kl;
  for (const SettingResult& setting : item.settings) {
    double sum = 0;
    for (const double each : setting.kl) sum += each;
    kl.push_back(sum / static_cast<double>(setting.kl.size()));
  }
  EXPECT_EQ(kl[0], 0);
  EXPECT_GT(kl[1], 0);
  EXPECT_LT(kl[1], 0.01) << "8.5 bits";
  EXPECT_GT(kl[2], 2 * kl[1]) << "4.5 bits";
  EXPECT_GT(kl[3], kl[2]) << "2 bits, the newest exact";
  EXPECT_GT(kl[4], kl[1]) << "half of the tokens are gone";
  EXPECT_DOUBLE_EQ(item.settings[4].cache.kept_share, 0.5);
  EXPECT_DOUBLE_EQ(item.settings[1].cache.share_packed, 8.5 / 16);
}

}  // namespace
}  // namespace qaq::test
