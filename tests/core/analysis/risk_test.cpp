// Statistics of heads beside their damage: what the damage is, the order, what is claimed of it.
#include "core/analysis/risk.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/analysis/head_kl.h"
#include "core/analysis/head_statistics.h"
#include "core/analysis/risk_charts.h"
#include "core/analysis/risk_tables.h"
#include "core/analysis/setting_caches.h"
#include "core/base/parallel.h"
#include "core/engine/backend.h"
#include "data/models/model_file.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

constexpr std::size_t kValueRange = 9;

QaqParams coarse() {
  QaqParams out;
  for (QaqSideParams* side : {&out.key, &out.value}) {
    side->use_attentions = false;
    side->n_bits_uniform = 2;
  }
  return out;
}

Risk risk_of(const CaptureView& capture, std::int64_t prefix = 0) {
  return assess_risk(capture, {coarse(), prefix}, {}, {});
}

TEST(Risk, TheRegistryHasItThere) { ASSERT_EQ(head_statistic_named("value_range"), kValueRange); }

// A capture that holds one KV head and its query heads alone has that head's damage.
TEST(Risk, DamageIsWhatQuantizingTheHeadAloneDoes) {
  const SyntheticShape shape{.n_layers = 2, .n_heads = 6, .n_kv_heads = 2, .n_tokens = 30};
  for (const std::int64_t prefix : {0, 20}) {
    const Risk all = risk_of(synthetic_capture(shape, 4), prefix);
    ASSERT_EQ(all.damages.size(), 1u);
    EXPECT_EQ(all.in_sample, prefix == 0);
    EXPECT_EQ(all.prefix, prefix == 0 ? 30 : prefix);
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      for (std::int64_t kv_head = 0; kv_head < 2; ++kv_head) {
        SyntheticShape single = shape;
        single.n_layers = single.n_kv_heads = 1;
        single.n_heads = 3;
        const MemoryCapture::Arrays from = synthetic_arrays(shape, 4);
        MemoryCapture::Arrays arrays = synthetic_arrays(single, 9);
        const auto at = static_cast<std::size_t>(layer);
        const auto take = [](NdArray<float, 3>& to, const NdArray<float, 3>& of,
                             std::int64_t first) {
          std::copy_n(of.sub(first).data(), to.size(), to.data());
        };
        take(arrays.key[0], from.key[at], kv_head);
        take(arrays.value[0], from.value[at], kv_head);
        take(arrays.query[0], from.query[at], 3 * kv_head);
        take(arrays.attention[0], from.attention[at], 3 * kv_head);
        const Risk one = risk_of(MemoryCapture(synthetic_info(single), std::move(arrays)), prefix);
        const double damage = all.damages[0].of_head(layer, kv_head);
        EXPECT_NEAR(one.damages[0].of_head(0, 0), damage, 1e-6 * damage);
        EXPECT_GT(damage, 0);
        for (std::int64_t i = 0; i < all.statistics.shape(0); ++i) {
          EXPECT_EQ(one.statistics(i, 0, 0), all.statistics(i, layer, kv_head)) << i;
        }
      }
    }
  }
}

TEST(Risk, HeadsAreRankedAndEqualOnesKeepTheirOrder) {
  Risk risk;
  risk.layers = {3, 7};
  risk.n_kv_heads = 2;
  risk.statistics = NdArray<double, 3>({std::ssize(head_statistics()), 2, 2});
  for (std::int64_t i = 0; i < risk.statistics.shape(0); ++i) {
    const auto of = risk.statistics.sub(i).span();
    of[0] = 1;
    of[1] = 5;
    of[2] = 1;
    of[3] = 9;
  }
  const std::size_t n = head_statistics().size();
  for (std::size_t i = 0; i < n; ++i) {
    const bool low = head_statistics()[i].low_is_risky;
    EXPECT_EQ(risk.ranked_by(i), low ? (std::vector<std::int64_t>{0, 2, 1, 3})
                                     : (std::vector<std::int64_t>{3, 1, 0, 2}));
  }
  risk.statistics(static_cast<std::int64_t>(kValueRange), 1, 0) = std::nan("");
  EXPECT_NE(refusal([&] { risk.ranked_by(kValueRange); }, ErrorKind::usage).find("do not tell"),
            std::string::npos);
}

TEST(Risk, NoMoreIsClaimedThanTheIntervalCarries) {
  EXPECT_EQ(verdict_on({}, false), "says nothing");
  const RankCorrelation chance{0.15, 90, {-0.06, 0.35}}, sure{0.6, 90, {0.4, 0.7}},
      opposite{-0.6, 90, {-0.7, -0.4}};
  EXPECT_EQ(verdict_on(chance, false), "no better than chance");
  EXPECT_EQ(verdict_on(chance, true), "no better than chance");
  EXPECT_EQ(verdict_on(sure, false), "predicts");
  EXPECT_EQ(verdict_on(sure, true), "predicts the opposite");
  EXPECT_EQ(verdict_on(opposite, false), "predicts the opposite");
  EXPECT_EQ(verdict_on(opposite, true), "predicts");
}

// Values of each head scaled by its number: their flat rounding errors grow with the range alone.
TEST(Risk, AScaleThatDamagesIsPredictedByTheRange) {
  const SyntheticShape shape{.n_layers = 4, .n_heads = 6, .n_kv_heads = 3, .n_tokens = 30};
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 6);
  for (std::size_t layer = 0; layer < 4; ++layer) {
    for (std::int64_t head = 0; head < 3; ++head) {
      const auto scale = static_cast<float>(
          std::pow(4.0, (static_cast<double>(layer) * 3 + static_cast<double>(head) * 5) / 3));
      for (float& x : arrays.value[layer].sub(head).span()) x *= scale;
    }
  }
  const Risk risk = risk_of(MemoryCapture(synthetic_info(shape), std::move(arrays)));
  const auto& found = risk.correlations[0][kValueRange];
  ASSERT_TRUE(found);
  EXPECT_EQ(found->n, 12);
  EXPECT_GT(found->rho, 0.9);
  EXPECT_EQ(verdict_on(found, false), "predicts");
}

TEST(Risk, OneTokenIsRankedByWhatItTells) {
  for (const auto& [n_heads, n_kv_heads] : {std::pair{9, 3}, {8, 8}, {8, 1}}) {
    const Risk risk =
        risk_of(synthetic_capture({.n_heads = n_heads, .n_kv_heads = n_kv_heads, .n_tokens = 1}));
    EXPECT_EQ(std::ssize(risk.ranked_by(kValueRange)), 2 * n_kv_heads);
    EXPECT_THROW(risk.ranked_by(head_statistic_named("sink_mass")), Error);
    const auto json = risk_json(risk, kValueRange);
    EXPECT_TRUE(json["heads"][0]["statistics"]["sink_mass"].is_null());
    EXPECT_TRUE(json["heads"][0]["damage"]["output_error"].is_number());
    for (const auto& each : json["correlations"]["output_error"]) {
      if (each["statistic"] != "sink_mass") continue;
      EXPECT_EQ(each["verdict"], "says nothing");
    }
  }
}

TEST(Risk, ACaptureWithoutQueriesIsRefused) {
  const SyntheticShape shape;
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  arrays.query.clear();
  arrays.attention.clear();
  CaptureInfo info = synthetic_info(shape);
  info.has_queries = false;
  info.profile = AttentionProfile::none;
  info.query_token.clear();
  const MemoryCapture capture(std::move(info), std::move(arrays));
  EXPECT_NE(refusal([&] { risk_of(capture); }).find("lacks queries or attention"),
            std::string::npos);
}

TEST(Risk, IsTheSameWhateverTheThreads) {
  const MemoryCapture capture = synthetic_capture({.n_heads = 9, .n_kv_heads = 3, .n_tokens = 50});
  set_thread_count(1);
  const std::string one = risk_json(risk_of(capture, 30), kValueRange).dump();
  set_thread_count(3);
  const std::string three = risk_json(risk_of(capture, 30), kValueRange).dump();
  set_thread_count(0);
  EXPECT_EQ(one, three);
}

TEST(Risk, TablesHoldARowAHeadAndARowACorrelation) {
  Risk risk = risk_of(synthetic_capture({.n_heads = 8, .n_kv_heads = 8}));
  add_damage(risk, kl_damage(NdArray<double, 2>({2, 8})));
  const Table heads = risk_table(risk, kValueRange), correlations = risk_correlation_table(risk);
  EXPECT_EQ(heads.n_rows, 16);
  EXPECT_EQ(heads.columns.size(), 3 + head_statistics().size() + 2);
  EXPECT_EQ(correlations.n_rows, 2 * std::ssize(head_statistics()));
  std::int64_t rank = 0;
  float last = std::numeric_limits<float>::infinity();
  heads.for_each_row([&](std::span<const Cell> row) {
    EXPECT_EQ(std::get<std::int64_t>(row[0]), ++rank);
    EXPECT_LE(std::get<float>(row[3 + kValueRange]), last);
    last = std::get<float>(row[3 + kValueRange]);
  });
  double strongest = 1;
  std::int64_t i = 0;
  correlations.for_each_row([&](std::span<const Cell> row) {
    if (i++ < std::ssize(head_statistics())) {
      EXPECT_LE(std::abs(std::get<float>(row[3])), strongest);
      strongest = std::abs(std::get<float>(row[3]));
    } else {
      EXPECT_EQ(std::get<std::string>(row.back()), "says nothing") << "the KL is 0 for all";
    }
  });
}

TEST(RiskFigure, MapsHaveTheModelsLayersAndOnlyTheCapturedOnesHaveCells) {
  CaptureInfo info = synthetic_info({.n_heads = 8, .n_kv_heads = 8});
  info.layers = {1, 4};
  info.shape.n_layers = 6;
  const MemoryCapture capture(std::move(info),
                              synthetic_arrays({.n_heads = 8, .n_kv_heads = 8}, 1));
  const Risk risk = risk_of(capture);
  const RiskFigure figure = risk_figure(risk, kValueRange, 6);
  ASSERT_EQ(figure.chart.panels.size(), 4u);
  const Table& map = figure.tables[0].table;
  EXPECT_EQ(map.n_rows, 8);
  ASSERT_EQ(map.columns.size(), 7u);
  std::int64_t head = 0;
  map.for_each_row([&](std::span<const Cell> row) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(row[1]));
    EXPECT_EQ(std::get<float>(row[2]), static_cast<float>(risk.statistics(kValueRange, 0, head)));
    EXPECT_TRUE(std::holds_alternative<std::monostate>(row[3]));
    EXPECT_EQ(std::get<float>(row[5]), static_cast<float>(risk.statistics(kValueRange, 1, head)));
    ++head;
  });
  EXPECT_EQ(figure.tables[2].table.n_rows, 5) << "the riskiest are ringed";
  // Every series finds its table.
  for (const ChartPanel& panel : figure.chart.panels) {
    for (const ChartSeries& series : panel.series) {
      EXPECT_EQ(std::ranges::count(figure.tables, series.source.table, &ExperimentTable::name), 1);
    }
  }
}

// --- With a model

constexpr std::int64_t kPrefixTokens = 40, kAllTokens = 48;

MixedRun tiny_run() {
  std::vector<std::int32_t> ids;
  for (std::int32_t i = 0; i < kAllTokens; ++i) ids.push_back(i * 37 % 251);
  const auto model = open_model(test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
  return {[&] {
            return make_cpu_backend()->open(model, {kAllTokens, kAllTokens});
          },
          {ids, kPrefixTokens},
          DType::f32,
          {}};
}

TEST(HeadKl, IsTheReplaysWithOneHeadQuantizedMadeOneByOne) {
  MixedRun run = tiny_run(), again = tiny_run();
  const ModelShape& s = run.spec().shape;
  const std::vector<std::int32_t> layers{2, 0};
  const NdArray<double, 2> kl = head_kl(run, coarse(), layers, {});
  ASSERT_EQ(kl.shape(), (Shape<2>{2, s.n_kv_heads}));
  SettingQuantizer quantizer(again.capture(), kPrefixTokens);
  again.set_source(1, quantizer.quantize({.params = coarse()}, {}).source);
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t head = 0; head < s.n_kv_heads; ++head) {
      Mix mix = again.mix(MixedRun::kExact);
      for (std::int64_t token = 0; token < kPrefixTokens; ++token) {
        mix(0, layers[static_cast<std::size_t>(i)], head, token) = 1;
        mix(1, layers[static_cast<std::size_t>(i)], head, token) = 1;
      }
      double sum = 0;
      for (std::int64_t row = 0; row < again.n_rows(); ++row) {
        sum += again.replay(mix, row, {}).score.kl;
      }
      EXPECT_NEAR(kl(i, head), sum / 8, 1e-5 * sum / 8 + 1e-9);
      EXPECT_GT(kl(i, head), 1e-6);
    }
  }
}

TEST(HeadKl, WithoutQuantizationThereIsNone) {
  MixedRun run = tiny_run();
  QaqParams whole;
  whole.key.level = whole.value.level = Level::no_quantization;
  const std::vector<std::int32_t> layers{1};
  const NdArray<double, 2> none = head_kl(run, whole, layers, {});
  for (const double kl : none.span()) EXPECT_LT(std::abs(kl), 1e-9);
}

}  // namespace
}  // namespace qaq::test
