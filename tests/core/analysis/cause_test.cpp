// Predicates of causes over every cell of a capture, against the same asked another way: through
// the explanation of each cell, and by hand from what was captured.
#include "core/analysis/cause.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include "core/analysis/diagnosis_limits.h"
#include "core/replay/explain.h"
#include "tests/support/test_captures.h"

namespace qaq {
namespace {

constexpr std::int64_t kPrefix = 16, kPosition = 20;

QaqParams usual() {
  QaqParams params;
  params.key.outliers_ratio = params.value.outliers_ratio = 0;
  params.key.n_bits_max = params.value.n_bits_max = 3;
  params.key.target_quantization_error = 0.01;
  params.value.target_quantization_error = 0.1;
  params.value.last_n_attentions = 1;
  return params;
}

// A capture of which every quantized cell is a suspect.
struct AllSuspects {
  explicit AllSuspects(const QaqParams& given) : params(given) {
    suspects.resize(static_cast<std::size_t>(scores.size()));
    std::iota(suspects.begin(), suspects.end(), 0);
  }
  CauseContext context() {
    return {.capture = capture,
            .params = params,
            .violation = violation,
            .setting = setting,
            .scores = scores,
            .step = step,
            .suspects = suspects,
            .key_bias_norms = norms,
            .n_suspect_layers = 2,
            .harmless_alone = true,
            .quantizer = quantizer,
            .fault = no_fault,
            .work = {}};
  }
  // The cells that an independent predicate holds for.
  template <class Holds>
  std::vector<std::int64_t> where(const Holds& holds) {
    std::vector<std::int64_t> out;
    for (const std::int64_t index : suspects) {
      if (holds(cell_at(scores, index))) out.push_back(index);
    }
    return out;
  }
  CellExplanation explained(const CellAddress& cell) {
    return explain_cell(capture, {params, kPrefix}, cell);
  }

  MemoryCapture capture = test::synthetic_capture();
  QaqParams params;
  ViolationParams violation;
  SettingQuantizer quantizer{capture, kPrefix};
  SettingQuantizer::Fault no_fault;
  SettingCache setting = quantizer.quantize({.params = params}, {});
  CellScores scores = cell_scores(capture, setting.source, kPrefix, kPosition);
  StepReads step = step_reads(capture, kPrefix, kPosition, GqaReduce::max);
  std::vector<double> norms;
  std::vector<std::int64_t> suspects;
};

void expect_some(const std::vector<std::int64_t>& ours, const std::vector<std::int64_t>& expected,
                 const AllSuspects& all) {
  EXPECT_EQ(ours, expected);
  EXPECT_GT(ours.size(), 0u) << "the case has to hold somewhere";
  EXPECT_LT(ours.size(), all.suspects.size()) << "and not everywhere";
}

TEST(Cause, ClampedBits) {
  AllSuspects all(usual());
  const auto expected =
      all.where([&](const CellAddress& cell) { return all.explained(cell).bits.choice.starved(); });
  const Suspicion found = find_clamped_bits(all.context());
  expect_some(found.cells, expected, all);
  SettingChange change{.params = all.params, .keeps_bits = true};
  found.change(change);
  const SettingCache other = all.quantizer.requantize(change, all.setting, {});
  for (const std::int64_t index : found.cells) {
    const CellAddress cell = cell_at(all.scores, index);
    const SettingSide& side = other.side(cell.side);
    EXPECT_EQ(side.plan.n_bits[side.unit(cell.layer, cell.kv_head, cell.token)],
              all.explained(cell).bits.choice.wanted);
  }
}

// Largest score of a head of the group at the step.
float score_at_step(const AllSuspects& all, const CellAddress& cell) {
  const auto scores = all.capture.attention(cell.layer, kPosition, 1);
  return std::max((*scores)(2 * cell.kv_head, 0, cell.token),
                  (*scores)(2 * cell.kv_head + 1, 0, cell.token));
}

TEST(Cause, JumpedImportance) {
  AllSuspects all(usual());
  all.violation.violation_floor = 1;
  const auto expected = all.where([&](const CellAddress& cell) {
    if (cell.side == CacheSide::key) return false;
    const auto window = all.capture.attention(cell.layer, kPrefix - 1, 1);
    const float before = std::max((*window)(2 * cell.kv_head, 0, cell.token),
                                  (*window)(2 * cell.kv_head + 1, 0, cell.token));
    const float now = score_at_step(all, cell);
    return now > 4 * before && now > 1.0 / (kPosition + 1);
  });
  expect_some(find_jumped_importance(all.context()).cells, expected, all);
}

TEST(Cause, QueryNorm) {
  QaqParams params = usual();
  params.key.q_norm = 12;
  AllSuspects all(params);
  const auto norm = [&](const CellAddress& cell) {
    double most = 0;
    for (const std::int64_t head : {2 * cell.kv_head, 2 * cell.kv_head + 1}) {
      double sum = 0;
      for (const float x : all.capture.query(cell.layer)->sub(head, kPosition).span()) {
        sum += double{x} * x;
      }
      most = std::max(most, sum);
    }
    return most;
  };
  const auto expected = all.where(
      [&](const CellAddress& cell) { return cell.side == CacheSide::key && norm(cell) > 12; });
  const Suspicion found = find_query_norm(all.context());
  expect_some(found.cells, expected, all);
  // The counterfactual's bits are those of that very norm.
  SettingChange change{.params = all.params, .keeps_bits = true};
  change.params.key.n_bits_max = 16;
  found.change(change);
  const SettingCache other = all.quantizer.requantize(change, all.setting, {});
  for (const std::int64_t index : found.cells) {
    const CellAddress cell = cell_at(all.scores, index);
    QaqParams with_norm = change.params;
    with_norm.key.q_norm = norm(cell);
    const SettingSide& side = other.side(cell.side);
    EXPECT_EQ(side.plan.n_bits[side.unit(cell.layer, cell.kv_head, cell.token)],
              explain_cell(all.capture, {with_norm, kPrefix}, cell).bits.choice.n_bits);
  }
}

TEST(Cause, LooseTarget) {
  // The paper's promise is a deviation, which its bits with the authors' quantizer may not keep.
  QaqParams params = usual();
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->variant = Variant::paper;
    side->range_rule = RangeChoice::mean_centred;
    side->n_bits_max = 8;
  }
  AllSuspects all(params);
  std::int64_t n_broken = 0;
  const auto expected = all.where([&](const CellAddress& cell) {
    const CellExplanation x = all.explained(cell);
    if (x.bits.choice.starved()) return false;
    if (cell.side == CacheSide::key) {
      if (all.step.q_norm(cell.layer, cell.kv_head) > 600) return false;
    } else {
      const auto window = all.capture.attention(cell.layer, kPrefix - 1, 1);
      const float before = std::max((*window)(2 * cell.kv_head, 0, cell.token),
                                    (*window)(2 * cell.kv_head + 1, 0, cell.token));
      const float now = score_at_step(all, cell);
      if (now > 4 * before && now > 4.0 / (kPosition + 1)) return false;
    }
    const bool kept = x.rms_error <= 1.5 * std::sqrt(x.bits.choice.error);
    n_broken += kept ? 0 : 1;
    return kept;
  });
  expect_some(find_loose_target(all.context()).cells, expected, all);
  EXPECT_GT(n_broken, 0);
}

TEST(Cause, ClippedRange) {
  AllSuspects all(usual());
  const auto expected = all.where([&](const CellAddress& cell) {
    const CellExplanation x = all.explained(cell);
    const auto& layers =
        cell.side == CacheSide::key ? all.setting.source.key : all.setting.source.value;
    const auto exact = exact_layer(all.capture, cell.side, cell.layer);
    double clipped = 0, sum = 0;
    for (std::int64_t d = 0; d < 8; ++d) {
      const float value = (*exact)(cell.kv_head, cell.token, d);
      const float read =
          (*layers[static_cast<std::size_t>(cell.layer)])(cell.kv_head, cell.token, d);
      const double error = double{read} - value;
      sum += error * error;
      if (std::abs(error) > 0.5001 * x.grid.scale) clipped += error * error;
    }
    return clipped > 0.5 * sum;
  });
  const Suspicion found = find_clipped_range(all.context());
  expect_some(found.cells, expected, all);
  QaqParams midpoint = usual();
  midpoint.key.range_rule = midpoint.value.range_rule = RangeChoice::midpoint;
  AllSuspects none(midpoint);
  EXPECT_TRUE(find_clipped_range(none.context()).cells.empty());
}

TEST(Cause, MissedOutlier) {
  AllSuspects all(usual());
  const auto expected = all.where([&](const CellAddress& cell) {
    const auto exact = exact_layer(all.capture, cell.side, cell.layer);
    const auto row = exact->sub(cell.kv_head, cell.token).span();
    std::vector<float> sorted(row.begin(), row.end());
    std::ranges::sort(sorted);
    return sorted[6] - sorted[1] <= 0.5f * (sorted[7] - sorted[0]);
  });
  expect_some(find_missed_outlier(all.context()).cells, expected, all);
}

TEST(Cause, SinkToken) {
  AllSuspects all(usual());
  all.step.sink_mass(0, 1) = 0.9f;
  all.step.sink_mass(0, 0) = all.step.sink_mass(1, 0) = all.step.sink_mass(1, 1) = 0.5f;
  const auto expected = all.where([](const CellAddress& cell) {
    return cell.layer == 0 && cell.kv_head == 1 && cell.token < 4;
  });
  const Suspicion found = find_sink(all.context());
  expect_some(found.cells, expected, all);
  EXPECT_FALSE(found.change) << "they are left exact";
}

TEST(Cause, KeyBias) {
  AllSuspects all(usual());
  EXPECT_TRUE(find_key_bias(all.context()).cells.empty()) << "there is no bias";
  all.norms = {1, 1};
  EXPECT_TRUE(find_key_bias(all.context()).cells.empty()) << "none stands out";
  all.norms = {5, 1, 1};  // of a model whose third layer was not captured
  expect_some(find_key_bias(all.context()).cells, all.where([](const CellAddress& cell) {
    return cell.side == CacheSide::key && cell.layer == 0;
  }),
              all);
}

TEST(Cause, CarriedErrorLeavesEveryOtherLayerExact) {
  AllSuspects all(usual());
  CauseContext context = all.context();
  const auto found = find_carried_error(context);
  const std::int64_t layer = cell_at(all.scores, found.cells.front()).layer;
  double sums[] = {0, 0};
  for (const std::int64_t index : all.suspects) {
    sums[cell_at(all.scores, index).layer] += context.score(index);
  }
  EXPECT_GE(sums[layer], sums[1 - layer]) << "the half that changes more";
  expect_some(found.cells, all.where([&](const CellAddress& cell) { return cell.layer == layer; }),
              all);
  context.harmless_alone = false;
  EXPECT_TRUE(find_carried_error(context).cells.empty());
  context.harmless_alone = true;
  context.n_suspect_layers = 1;
  EXPECT_TRUE(find_carried_error(context).cells.empty());
}

TEST(Cause, WhatACellTakes) {
  QaqParams params = usual();
  params.key.outliers_ratio = 0.25;  // of 8 values one at each end
  params.value.level = Level::no_quantization;
  AllSuspects all(params);
  const CellAddress key{CacheSide::key, 1, 0, 5}, value{CacheSide::value, 1, 0, 5};
  const int n_bits = all.explained(key).bits.choice.n_bits;
  EXPECT_DOUBLE_EQ(all.setting.bits_per_value(key), 0.75 * n_bits + 0.25 * 16);
  EXPECT_DOUBLE_EQ(all.setting.bits_per_value(value), 16);
}

}  // namespace
}  // namespace qaq
