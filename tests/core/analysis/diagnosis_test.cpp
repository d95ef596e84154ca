// Each cause planted in a run of a tiny model, by weights, settings or what a setting decided: the
// diagnosis has to name it first.
#include "core/analysis/diagnosis.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <stop_token>

#include "core/analysis/chart_rows.h"
#include "core/analysis/diagnosis_charts.h"
#include "core/analysis/diagnosis_limits.h"
#include "core/analysis/diagnosis_report.h"
#include "core/base/error.h"
#include "core/engine/backend.h"
#include "data/models/model_file.h"
#include "tests/core/analysis/planted_model.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using test::PlantedModel;

constexpr std::int64_t kPrefix = 40, kTokens = 48, kHeadDim = 16;

const DiagnosisSubject kNobody{
    "tiny", "a prompt", [](std::int32_t id) { return std::to_string(id); }, {"qaq diagnose"}};

std::shared_ptr<PlantedModel> tiny_model() {
  return std::make_shared<PlantedModel>(
      open_model(test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf")));
}

// The same with biases of queries, keys and values.
std::shared_ptr<PlantedModel> model_with_biases() {
  return std::make_shared<PlantedModel>(open_model(test::test_data_path(
      "oracle/tiny_llama/variant_attention_bias/variant_attention_bias-f32.gguf")));
}

std::vector<std::int32_t> some_ids() {
  std::vector<std::int32_t> out;
  std::uint32_t state = 7;
  while (std::ssize(out) < kTokens) {
    state = state * 1664525u + 1013904223u;
    out.push_back(static_cast<std::int32_t>(state >> 24));
  }
  return out;
}

QaqSideParams exact() {
  QaqSideParams out;
  out.level = Level::no_quantization;
  return out;
}

// Flat bits without outliers, over the middle of the range: nothing but the bits to blame.
QaqSideParams flat(int n_bits) {
  QaqSideParams out;
  out.use_attentions = false;
  out.n_bits_uniform = n_bits;
  out.outliers_ratio = 0;
  out.range_rule = RangeChoice::midpoint;
  return out;
}

// Bits by the bound, as many as it asks for.
QaqSideParams bound(double target) {
  QaqSideParams out = flat(0);
  out.use_attentions = true;
  out.target_quantization_error = target;
  out.n_bits_max = 16;
  out.last_n_attentions = 1;
  return out;
}

// Keys whose bits follow from the norms of the prefix's queries alone.
QaqSideParams entry_bound(double target) {
  QaqSideParams out = bound(target);
  out.variant = Variant::bound;
  out.bound_target = BoundTarget::entry;
  out.q_norm = RealOrAuto::automatic();
  out.q_norm_quantile = 1;
  return out;
}

MixedRun run_of(const std::shared_ptr<const ModelSource>& model) {
  const auto ids = some_ids();
  return {[&] {
            return make_cpu_backend()->open(model, {kTokens, kTokens});
          },
          {ids, kPrefix},
          DType::f32,
          {}};
}

Diagnosis diagnosed(const std::shared_ptr<const ModelSource>& model,
                    const DiagnosisOptions& options) {
  MixedRun run = run_of(model);
  return diagnose(run, options, {});
}

void expect_first(const Diagnosis& d, const std::string& cause) {
  ASSERT_EQ(d.outcome, DiagnosisOutcome::explained) << diagnosis_json(d, kNobody).dump(1);
  EXPECT_EQ(d.causes.front().name, cause) << diagnosis_json(d, kNobody).dump(1);
  EXPECT_LT(d.causes.front().kl_after, kConfirmedShare * d.causes.front().kl_before);
  EXPECT_TRUE(d.causes.front().top_restored);
  EXPECT_LE(d.n_replays, 40);
}

TEST(Diagnosis, WithoutQuantizationNothingBroke) {
  DiagnosisOptions options;
  options.params.key = options.params.value = exact();
  const Diagnosis d = diagnosed(tiny_model(), options);
  EXPECT_EQ(d.outcome, DiagnosisOutcome::nothing_broke);
  EXPECT_EQ(d.n_replays, 2);
  EXPECT_NEAR(d.exact_kl, 0, 1e-9);
}

TEST(Diagnosis, BitsClampedByASetting) {
  DiagnosisOptions options;
  options.params.value = exact();
  options.params.key = bound(0.001);
  options.params.key.n_bits_max = 2;
  expect_first(diagnosed(tiny_model(), options), "bits_clamped");
}

// The keys of one head get one bit each.
DiagnosisOptions one_head_cut(std::int64_t layer, std::int64_t head) {
  DiagnosisOptions options;
  options.params.value = exact();
  options.params.key = bound(0.001);
  options.params.key.n_bits_max = 12;
  options.fault = [=](SettingSide& side) {
    if (side.side != CacheSide::key || side.params.n_bits_max > 12) return;
    for (std::int64_t token = 0; token < kPrefix; ++token) {
      side.plan.n_bits[side.unit(layer, head, token)] = 1;
    }
  };
  return options;
}

// One head's keys cut to one bit: layer and head are named, and nothing else.
TEST(Diagnosis, BitsClampedInOneHead) {
  for (const std::int64_t layer : {0, 1, 2}) {
    for (const std::int64_t head : {0, 1}) {
      const Diagnosis d = diagnosed(tiny_model(), one_head_cut(layer, head));
      expect_first(d, "bits_clamped");
      EXPECT_EQ(d.side, CacheSide::key);
      EXPECT_EQ(d.layers, (std::vector<std::int32_t>{static_cast<std::int32_t>(layer)}));
      for (const DiagnosedCell& cell : d.cells) EXPECT_EQ(cell.cell.kv_head, head);
    }
  }
}

// The rule itself gives one head's keys five bits too few: no clamp touches them, and they err by
// more than their bound.
TEST(Diagnosis, BitsBelowTheBoundWithoutAClamp) {
  for (const std::int64_t head : {0, 1}) {
    DiagnosisOptions options;
    options.params.value = exact();
    options.params.key = entry_bound(0.005);
    options.fault = [head](SettingSide& side) {
      if (side.side != CacheSide::key || side.params.target_quantization_error < 0.005) return;
      for (std::int64_t token = 0; token < kPrefix; ++token) {
        const std::size_t unit = side.unit(1, head, token);
        side.plan.n_bits[unit] -= 5;
        side.choices[unit].wanted = side.plan.n_bits[unit];
      }
    };
    const Diagnosis d = diagnosed(tiny_model(), options);
    expect_first(d, "bits_clamped");
    EXPECT_EQ(d.layers, std::vector<std::int32_t>{1});
    EXPECT_NE(d.causes.front().evidence.find("err by more"), std::string::npos)
        << d.causes.front().evidence;
    for (const DiagnosedCell& cell : d.cells) EXPECT_EQ(cell.n_bits, cell.wanted);
  }
}

TEST(Diagnosis, TargetTooLoose) {
  DiagnosisOptions options;
  options.params.value = exact();
  options.params.key = entry_bound(0.2);
  expect_first(diagnosed(tiny_model(), options), "target_loose");
}

TEST(Diagnosis, FlatBitsTooFew) {
  DiagnosisOptions options;
  options.params.key = options.params.value = flat(2);
  expect_first(diagnosed(tiny_model(), options), "target_loose");
}

// One channel of one head's values is large, and what reads it small: the model is the same.
TEST(Diagnosis, OutlierMissed) {
  const auto model = tiny_model();
  constexpr float kScale = 100;
  model->edit(WeightRole::value, 1, [](const NdView<float, 2>& w) {
    for (float& x : w.sub(kHeadDim + 3).span()) x *= kScale;
  });
  model->edit(WeightRole::attention_output, 1, [](const NdView<float, 2>& w) {
    for (std::int64_t row = 0; row < w.shape(0); ++row) {
      for (const std::int64_t head : {2, 3}) w(row, head * kHeadDim + 3) /= kScale;
    }
  });
  DiagnosisOptions options;
  options.params.key = exact();
  options.params.value = flat(4);
  const Diagnosis d = diagnosed(model, options);
  expect_first(d, "outlier_missed");
  EXPECT_EQ(d.layers, std::vector<std::int32_t>{1});
  for (const DiagnosedCell& cell : d.cells) EXPECT_EQ(cell.cell.kv_head, 1);
}

// Three of sixteen channels lie apart, so that the mean is far from the middle of the range.
TEST(Diagnosis, RangeClipped) {
  const auto model = model_with_biases();
  model->edit(WeightRole::value_bias, 1, [](const NdView<float, 2>& w) {
    for (const std::int64_t channel : {1, 6, 11}) w(0, channel) += 20;
  });
  DiagnosisOptions options;
  options.params.key = exact();
  options.params.value = flat(8);
  options.params.value.range_rule = RangeChoice::mean_centred;
  const Diagnosis d = diagnosed(model, options);
  expect_first(d, "range_clipped");
  EXPECT_EQ(d.layers, std::vector<std::int32_t>{1});
}

// Scores are made sharp, and bits follow from a last row that knew nothing of the next one's.
TEST(Diagnosis, ImportanceJumped) {
  const auto model = tiny_model();
  model->edit(WeightRole::query, 1, [](const NdView<float, 2>& w) {
    for (float& x : w.span()) x *= 40;
  });
  DiagnosisOptions options;
  options.params.key = exact();
  options.params.value = bound(0.05);
  expect_first(diagnosed(model, options), "importance_jumped");
}

TEST(Diagnosis, QueryNormAboveTheBound) {
  DiagnosisOptions options;
  options.params.value = exact();
  options.params.key = bound(1);
  options.params.key.q_norm = 1e-4;
  expect_first(diagnosed(tiny_model(), options), "query_norm");
}

// The first token's keys hold what attention rests on beside three values that are huge and that no
// query reads: no bits, range or outlier but exactness keeps them.
TEST(Diagnosis, SinkToken) {
  const auto model = model_with_biases();
  const std::int32_t first = some_ids().front();
  model->edit(WeightRole::embedding, 0, [&](const NdView<float, 2>& w) {
    for (std::int64_t id = 0; id < w.shape(0); ++id) w(id, 0) = 0;
    w(first, 0) = 5;
  });
  model->edit(WeightRole::key, 0, [](const NdView<float, 2>& w) {
    for (const std::int64_t channel : {0, 1, 2}) w(channel, 0) = -500;
    for (std::int64_t d = 0; d < w.shape(1); ++d) w(7, d) = w(15, d) = 0;
    w(7, 0) = 1.5f;
  });
  model->edit(WeightRole::query, 0, [](const NdView<float, 2>& w) {
    for (std::int64_t row = 0; row < 2 * kHeadDim; ++row) {
      for (float& x : w.sub(row).span()) x = 0;
    }
  });
  model->edit(WeightRole::query_bias, 0, [](const NdView<float, 2>& w) {
    for (std::int64_t row = 0; row < 2 * kHeadDim; ++row) w(0, row) = row % kHeadDim == 7 ? 4 : 0;
  });
  DiagnosisOptions options;
  options.params.value = exact();
  options.params.key = flat(4);
  const Diagnosis d = diagnosed(model, options);
  expect_first(d, "sink_token");
  EXPECT_EQ(d.cells.front().cell.token, 0);
  EXPECT_EQ(d.cells.front().cell.kv_head, 0);
}

// A bias that no bits can carry beside the rest.
TEST(Diagnosis, KeyBias) {
  const auto model = model_with_biases();
  model->edit(WeightRole::key_bias, 1, [](const NdView<float, 2>& w) {
    for (const std::int64_t channel : {5, 6, 7}) w(0, channel) += 1000;
  });
  model->edit(WeightRole::query, 1, [](const NdView<float, 2>& w) {
    for (const std::int64_t head : {0, 1}) {
      for (const std::int64_t channel : {5, 6, 7, 13, 14, 15}) {
        for (float& x : w.sub(head * kHeadDim + channel).span()) x = 0;
      }
    }
  });
  model->edit(WeightRole::query_bias, 1, [](const NdView<float, 2>& w) {
    for (const std::int64_t head : {0, 1}) {
      for (const std::int64_t channel : {5, 6, 7, 13, 14, 15}) w(0, head * kHeadDim + channel) = 0;
    }
  });
  const std::vector<double> norms{0.1, std::sqrt(3.0) * 1000, 0.1};
  DiagnosisOptions options;
  options.params.value = exact();
  options.params.key = flat(4);
  options.key_bias_norms = norms;
  const Diagnosis d = diagnosed(model, options);
  expect_first(d, "key_bias");
  EXPECT_EQ(d.layers, std::vector<std::int32_t>{1});
}

// Every layer errs by what no rule asked for, none of them enough by itself.
TEST(Diagnosis, CarriedError) {
  DiagnosisOptions options;
  options.params.value = exact();
  options.params.key = entry_bound(0.01);
  options.step = 0;
  options.fault = [](SettingSide& side) {
    if (!side.quantizes()) return;
    side.plan.layout.for_each_row(
        [&](std::int64_t unit, std::int64_t layer, std::int64_t, std::int64_t) {
          constexpr float kShare[] = {0.02f, 0.05f, 0.05f};
          UnitStats& stats = side.stats[static_cast<std::size_t>(unit)];
          const float shift = kShare[layer] * (stats.max - stats.min);
          stats.min += shift;
          stats.max += shift;
        });
  };
  expect_first(diagnosed(tiny_model(), options), "carried_error");
}

TEST(Diagnosis, StepsAreJudgedByTheirMargin) {
  DiagnosisOptions options;
  options.params.key = options.params.value = flat(1);
  options.own_text_parts = 0;
  const Diagnosis strict = diagnosed(tiny_model(), options);
  options.coin_flip_margin = 1e9;
  const Diagnosis lax = diagnosed(tiny_model(), options);
  bool flips = false;
  for (std::size_t i = 0; i < strict.steps.size(); ++i) {
    const DiagnosedStep& step = strict.steps[i];
    const bool same = step.score.score.same_top;
    flips = flips || !same;
    EXPECT_EQ(same, step.score.expected == step.score.got);
    EXPECT_EQ(step.verdict, same ? (i > 0 ? StepVerdict::downstream : StepVerdict::same)
                            : step.score.score.margin < 0.1 ? StepVerdict::coin_flip
                                                            : StepVerdict::diverged);
    EXPECT_EQ(lax.steps[i].verdict == StepVerdict::coin_flip, !same);
  }
  EXPECT_TRUE(flips) << "one bit is to change this text";
  EXPECT_EQ(lax.why_step, "none diverged: the one of the largest KL");
}

// Remembers where work stands, and stops it once so many replays are done.
struct Watch : Progress {
  void update(const ProgressState& state) override {
    last = state;
    if (state.done == stops_at) stop.request_stop();
  }
  Work work() { return Work(this, stop.get_token()); }

  std::int64_t stops_at = -1;
  ProgressState last{};
  std::stop_source stop;
};

TEST(ReplayHeads, AreTheReplaysWithOneHeadExactMadeOneByOne) {
  DiagnosisOptions options;
  options.params.key = options.params.value = flat(2);
  MixedRun run = run_of(tiny_model());
  const Diagnosis d = diagnose(run, options, {});
  // What the run was used for since does not matter.
  DiagnosisOptions other;
  other.params.key = other.params.value = flat(1);
  diagnose(run, other, {});
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    Watch watch;
    const NdArray<float, 2> kl = replay_heads(run, options, d, side, watch.work());
    EXPECT_EQ(watch.last.done, kl.size());
    EXPECT_EQ(watch.last.total, kl.size());
    MixedRun again = run_of(tiny_model());
    SettingQuantizer quantizer(again.capture(), kPrefix);
    again.set_source(1, quantizer.quantize({.params = options.params}, {}).source);
    const ModelShape& s = again.spec().shape;
    ASSERT_EQ(kl.shape(), (Shape<2>{s.n_layers, s.n_kv_heads}));
    bool any = false;
    for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
      for (std::int64_t head = 0; head < s.n_kv_heads; ++head) {
        Mix mix = again.mix(1);
        for (std::int64_t token = 0; token < kPrefix; ++token) {
          mix(side == CacheSide::key ? 0 : 1, layer, head, token) = MixedRun::kExact;
        }
        const double one = again.replay(mix, d.step, {}).score.kl;
        EXPECT_EQ(kl(layer, head), static_cast<float>(one)) << layer << ", " << head;
        any = any || std::abs(one - d.explained().score.score.kl) > 1e-3;
      }
    }
    EXPECT_TRUE(any) << "heads are to differ";
  }
}

TEST(ReplayHeads, AHeadThatWasCutIsTheOneThatRepairs) {
  for (const std::int64_t layer : {0, 1, 2}) {
    for (const std::int64_t head : {0, 1}) {
      const DiagnosisOptions options = one_head_cut(layer, head);
      MixedRun run = run_of(tiny_model());
      const Diagnosis d = diagnose(run, options, {});
      ASSERT_EQ(blamed_sides(d), std::vector<CacheSide>{CacheSide::key});
      const NdArray<float, 2> kl = replay_heads(run, options, d, CacheSide::key, {});
      const auto all = kl.span();
      EXPECT_EQ(std::ranges::min_element(all) - all.begin(), layer * kl.shape(1) + head);
      EXPECT_LT(kl(layer, head), kRepairedShare * d.explained().score.score.kl);
    }
  }
}

TEST(ReplayHeads, StopsWhenItIsTold) {
  DiagnosisOptions options;
  options.params.key = options.params.value = flat(2);
  MixedRun run = run_of(tiny_model());
  const Diagnosis d = diagnose(run, options, {});
  Watch watch;
  watch.stops_at = 2;
  const std::int64_t before = run.n_replays();
  EXPECT_THROW(replay_heads(run, options, d, CacheSide::key, watch.work()), Error);
  EXPECT_LE(run.n_replays(), before + 3);  // the third is broken off
}

// Figures name the numbers of the diagnosis, and no more replays than tell something.
TEST(DiagnosisFigures, ShowTheDiagnosis) {
  DiagnosisOptions options;
  options.params.key = options.params.value = flat(2);
  MixedRun run = run_of(tiny_model());
  Diagnosis d = diagnose(run, options, {});
  const auto plain = diagnosis_figures(d, kNobody);
  ASSERT_EQ(plain.size(), 3u);
  EXPECT_EQ(plain[2].chart.panels.at(0).z.centre, std::nullopt);
  add_head_kl(run, options, d, {});
  const auto figures = diagnosis_figures(d, kNobody);
  const ChartPanel& what = figures[0].chart.panels.at(0);
  EXPECT_EQ(what.x.names.size(), d.steps.size());
  std::size_t n_bars = 0;
  for (const ChartSeries& series : what.series) {
    if (series.mark == ChartMark::bars) n_bars += series.source.rows.size();
    if (series.mark == ChartMark::boxes) {
      EXPECT_EQ(series.source.rows, ChartRows{d.step});
    }
    if (series.style != kNotedStyle) continue;
    for (const std::int64_t row : series.source.rows) {
      EXPECT_EQ(d.steps[static_cast<std::size_t>(row)].verdict, StepVerdict::diverged);
    }
  }
  EXPECT_EQ(n_bars, d.steps.size());
  const ChartPanel& where = figures[1].chart.panels.at(0);
  EXPECT_EQ(where.lines.at(0).at, d.explained().score.score.kl);
  EXPECT_EQ(where.y.names.at(0), "keys exact");
  EXPECT_LE(where.y.names.size(), 9u);
  const Chart& heads = figures[2].chart;
  ASSERT_EQ(heads.panels.size(), blamed_sides(d).size());
  for (std::size_t i = 0; i < heads.panels.size(); ++i) {
    const auto& kl = d.head_kl[static_cast<std::size_t>(blamed_sides(d)[i])];
    EXPECT_EQ(heads.panels[i].z.centre, 0);
    std::int64_t head = 0;
    figures[2].tables.at(2 * i).table.for_each_row([&](std::span<const Cell> row) {
      ASSERT_EQ(std::ssize(row), 1 + kl.shape(0));
      for (std::int64_t layer = 0; layer < kl.shape(0); ++layer) {
        EXPECT_NEAR(std::get<float>(row[static_cast<std::size_t>(1 + layer)]),
                    kl(layer, head) - d.explained().score.score.kl, 1e-6);
      }
      ++head;
    });
    EXPECT_EQ(head, kl.shape(1));
  }
}

TEST(Diagnosis, AStepThatIsNotThereIsRefused) {
  DiagnosisOptions options;
  options.step = kTokens - kPrefix;
  EXPECT_THROW(diagnosed(tiny_model(), options), Error);
}

}  // namespace
}  // namespace qaq
