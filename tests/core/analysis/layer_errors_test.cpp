// Errors by layer: by hand, and against the means that a replay reports.
#include "core/analysis/layer_errors.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>

#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr float kAbsent = Heatmap::kAbsent, kImpossible = Heatmap::kImpossible;
constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

double mean(const std::vector<double>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size());
}

// Layers 1 and 2 of a model of three, 2 query heads on one KV head, 4 tokens of which 3 are
// quantized, rows 0, 2 and 3 captured. Errors are their place: 100 layer + 10 head + token or row.
CaptureInfo hand_info() {
  CaptureInfo info =
      synthetic_info({.n_layers = 3, .n_heads = 2, .n_kv_heads = 1, .n_tokens = 4, .head_dim = 8});
  info.layers = {1, 2};
  info.query_token = {0, 2, 3};
  return info;
}

NdArray<float, 3> places(const Shape<3>& shape) {
  NdArray<float, 3> out(shape);
  for (std::int64_t l = 0; l < shape[0]; ++l) {
    for (std::int64_t h = 0; h < shape[1]; ++h) {
      for (std::int64_t i = 0; i < shape[2]; ++i) {
        out(l, h, i) = static_cast<float>(100 * l + 10 * h + i);
      }
    }
  }
  return out;
}

ReplayResult hand_result() {
  ReplayResult result;
  result.prefix = 3;
  result.key.error = places({2, 1, 4});
  result.value.error = places({2, 1, 4});
  result.value.error(1, 0, 2) = 0.5f;
  result.attention_error = places({2, 2, 3});
  result.output_error = places({2, 2, 3});
  for (const std::int64_t row : {0, 1}) {
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      for (std::int64_t head = 0; head < 2; ++head) {
        result.attention_error(layer, head, row) = result.output_error(layer, head, row) = kNone;
      }
    }
  }
  return result;
}

TEST(LayerErrors, ByHand) {
  const LayerErrors errors = layer_errors(hand_result(), hand_info());
  EXPECT_EQ(errors.layers, (std::vector<std::int32_t>{1, 2}));
  // Tokens 0, 1, 2 of the prefix.
  EXPECT_EQ(errors.of(ErrorOf::key).mean, (std::vector<double>{1, 101}));
  EXPECT_EQ(errors.of(ErrorOf::key).p10, (std::vector<double>{0, 100}));
  EXPECT_EQ(errors.of(ErrorOf::key).p90, (std::vector<double>{2, 102}));
  EXPECT_DOUBLE_EQ(errors.of(ErrorOf::value).mean[1], (100 + 101 + 0.5) / 3);
  EXPECT_EQ(errors.of(ErrorOf::value).p10[1], 0.5);
  // Row 3 alone lies behind the prefix: index 2 of both heads.
  EXPECT_EQ(errors.of(ErrorOf::attention).mean, (std::vector<double>{7, 107}));
  EXPECT_EQ(errors.of(ErrorOf::output).p10, (std::vector<double>{2, 102}));
  EXPECT_EQ(errors.of(ErrorOf::output).p90, (std::vector<double>{12, 112}));
}

TEST(LayerErrors, QuantilesAreThoseOfTheSortedNumbers) {
  ReplayResult result;
  result.prefix = 20;
  result.key.error = NdArray<float, 3>({1, 1, 20});
  for (std::int64_t t = 0; t < 20; ++t) {
    result.key.error(0, 0, t) = static_cast<float>((7 * t) % 20 + 1);  // 1 .. 20 in some order
  }
  const LayerErrors errors = layer_errors(result, synthetic_info({.n_layers = 1, .n_tokens = 20}));
  EXPECT_EQ(errors.of(ErrorOf::key).p10[0], 2);
  EXPECT_EQ(errors.of(ErrorOf::key).p90[0], 18);
  EXPECT_FALSE(errors.has(ErrorOf::value));
  EXPECT_FALSE(errors.has(ErrorOf::attention));
  EXPECT_EQ(layer_errors_table(errors).columns.size(), 4u);
  EXPECT_EQ(layer_errors_panel(errors).series.size(), 2u);
}

TEST(LayerErrors, MeansAreThoseOfTheReplay) {
  for (const std::int64_t prefix : {0, 15}) {
    const MemoryCapture capture = synthetic_capture();
    ReplayOptions options;
    options.prefix = prefix;
    options.params.value.target_quantization_error = 0.3;
    const SharedReplay result = replay(capture, options);
    const LayerErrors errors = layer_errors(*result, capture.info());
    EXPECT_NEAR(mean(errors.of(ErrorOf::key).mean), result->key.quantization_error,
                1e-6 * result->key.quantization_error);
    EXPECT_NEAR(mean(errors.of(ErrorOf::value).mean), result->value.quantization_error,
                1e-6 * result->value.quantization_error);
    EXPECT_NEAR(mean(errors.of(ErrorOf::output).mean), *result->mean_output_error,
                1e-6 * *result->mean_output_error);
    // The authors' error is the mean over the prefix's columns, ours the sum over all of a row.
    const double attention = *result->mean_attention_error * static_cast<double>(result->prefix);
    const double ours = mean(errors.of(ErrorOf::attention).mean);
    EXPECT_GE(ours, (1 - 1e-6) * attention);
    if (prefix == 0) {
      EXPECT_NEAR(ours, attention, 1e-6 * attention);
    }
    EXPECT_GT(attention, 0);
    for (const ErrorOf which : kAllErrors) {
      const ErrorBand& band = errors.of(which);
      for (std::size_t i = 0; i < band.mean.size(); ++i) EXPECT_LE(band.p10[i], band.p90[i]);
    }
  }
}

TEST(ErrorMap, ByHand) {
  const ReplayResult result = hand_result();
  const Heatmap key = error_map(result, hand_info(), ErrorOf::key);
  ASSERT_EQ(key.rows(), 4);
  ASSERT_EQ(key.columns(), 3) << "layers times KV heads";
  EXPECT_EQ(key.at(0, 0), kAbsent) << "layer 0 was not captured";
  EXPECT_EQ(key.at(2, 1), 2.0f);
  EXPECT_EQ(key.at(2, 2), 102.0f);
  EXPECT_EQ(key.at(3, 2), kImpossible) << "behind the prefix";
  const Heatmap output = error_map(result, hand_info(), ErrorOf::output);
  EXPECT_EQ(output.at(0, 1), kImpossible) << "row 0 does not read the quantized prefix";
  EXPECT_EQ(output.at(1, 1), kAbsent) << "row 1 was not captured";
  EXPECT_EQ(output.at(3, 1), 12.0f) << "the larger of two query heads";
  EXPECT_EQ(output.at(3, 2), 112.0f);
}

TEST(ErrorMap, KvHeadsStandBesideEachOtherInTheirLayer) {
  const MemoryCapture capture = synthetic_capture();
  const SharedReplay result = replay(capture, {});
  const Heatmap value = error_map(*result, capture.info(), ErrorOf::value);
  const Heatmap attention = error_map(*result, capture.info(), ErrorOf::attention);
  ASSERT_EQ(value.columns(), 2 * 2);
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    for (std::int64_t head = 0; head < 2; ++head) {
      for (std::int64_t t = 0; t < 24; ++t) {
        EXPECT_EQ(value.at(t, layer * 2 + head), result->value.error(layer, head, t));
        EXPECT_EQ(attention.at(t, layer * 2 + head),
                  std::max(result->attention_error(layer, 2 * head, t),
                           result->attention_error(layer, 2 * head + 1, t)));
      }
    }
  }
}

TEST(LayerErrorsTable, HasTheNumbersOfTheBands) {
  const LayerErrors errors = layer_errors(hand_result(), hand_info());
  const Table table = layer_errors_table(errors);
  ASSERT_EQ(table.n_rows, 2);
  ASSERT_EQ(table.columns.size(), 13u);
  EXPECT_EQ(table.columns[4].name, "value_mean");
  std::vector<std::int64_t> layers;
  std::vector<float> p90;
  table.for_each_row([&](std::span<const Cell> row) {
    layers.push_back(std::get<std::int64_t>(row[0]));
    p90.push_back(std::get<float>(row[12]));
  });
  EXPECT_EQ(layers, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(p90, (std::vector<float>{12, 112}));
}

TEST(LayerErrorsPanel, HasALineOverTheBandsForEveryError) {
  const ChartPanel panel = layer_errors_panel(layer_errors(hand_result(), hand_info()));
  EXPECT_EQ(panel.y.scale, ChartScale::log);
  EXPECT_DOUBLE_EQ(panel.y.least.value_or(0), 0.1) << "a decade below the least mean";
  ASSERT_EQ(panel.series.size(), 8u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(panel.series[i].mark, ChartMark::band);
    EXPECT_TRUE(panel.series[i].name.empty()) << "named once";
    EXPECT_EQ(panel.series[4 + i].mark, ChartMark::line_points);
    EXPECT_EQ(panel.series[i].style, panel.series[4 + i].style);
  }
  EXPECT_EQ(panel.series[4].name, "K");
  EXPECT_EQ(panel.series[4].points[1].x, 2) << "the model's layer";
  EXPECT_EQ(panel.series[4].points[1].y, 101);
  EXPECT_EQ(panel.series[0].points[1].low, 100);
  EXPECT_EQ(panel.series[0].points[1].high, 102);
}

}  // namespace
}  // namespace qaq::test
