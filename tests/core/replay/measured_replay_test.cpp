// What quantized keys and values do to scores and outputs: against sums written out in double, and
// against the measurements of the mathematics, section 4.4.
#include "core/replay/measured_replay.h"

#include <cmath>
#include <gtest/gtest.h>

#include "core/quant/quantize.h"
#include "core/replay/replay.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

using Numbers = std::vector<double>;

// One query row on a cache, term by term: scores, then outputs.
struct ExactRow {
  Numbers scores;
  Numbers output;
};
ExactRow exact_row(std::span<const float> query, const NdView<const float, 2>& key,
                   const NdView<const float, 2>& value, std::int64_t s) {
  ExactRow row;
  double largest = -1e300, sum = 0;
  for (std::int64_t t = 0; t <= s; ++t) {
    double dot = 0;
    for (std::size_t d = 0; d < query.size(); ++d) dot += double{query[d]} * key.sub(t).span()[d];
    row.scores.push_back(dot / std::sqrt(static_cast<double>(query.size())));
    largest = std::max(largest, row.scores.back());
  }
  for (double& x : row.scores) sum += x = std::exp(x - largest);
  row.output.assign(query.size(), 0);
  for (std::int64_t t = 0; t <= s; ++t) {
    row.scores[static_cast<std::size_t>(t)] /= sum;
    for (std::size_t d = 0; d < query.size(); ++d) {
      row.output[d] += row.scores[static_cast<std::size_t>(t)] * value.sub(t).span()[d];
    }
  }
  return row;
}

double squared_distance(const Numbers& a, const Numbers& b, std::size_t first, std::size_t last) {
  double sum = 0;
  for (std::size_t i = first; i < last; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// The cache that a replay under `options` measures, quantized with core/quant alone.
NdArray<float, 3> quantized(const MemoryCapture& capture, CacheSide side, std::int64_t layer,
                            int n_bits, std::int64_t prefix) {
  const auto exact = exact_layer(capture, side, layer);
  PlannedCache cache;
  cache.side = side;
  cache.plan.quantizer = {.level = Level::head, .outliers_ratio = 0};
  cache.plan.layout = UnitLayout(Level::head, {1, exact->shape(0), prefix, exact->shape(2)});
  cache.plan.n_bits.assign(static_cast<std::size_t>(cache.plan.layout.n_units()),
                           static_cast<std::uint8_t>(n_bits));
  std::vector<UnitStats> stats(cache.plan.n_bits.size());
  const CacheLayer view = exact->view();
  fill_unit_stats(cache.plan.layout, {}, 0, {&view, 1}, stats);
  NdArray<float, 3> values = exact->copy();
  quantize_layer(cache.plan, stats, 0, view, {values.view(), {}});
  return values;
}

void expect_errors_by_hand(std::int64_t prefix, std::int64_t first_row) {
  const SyntheticShape shape{.n_tokens = 70};
  const MemoryCapture capture = synthetic_capture(shape);
  ReplayOptions options;
  options.prefix = prefix;
  for (QaqSideParams* side : {&options.params.key, &options.params.value}) {
    side->use_attentions = false;
    side->n_bits_uniform = 3;
    side->outliers_ratio = 0;
  }
  const auto result = replay(capture, options);
  EXPECT_EQ(result->in_sample, first_row == 0);
  double attention = 0, output = 0, n_rows = 0;
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    const auto new_key = quantized(capture, CacheSide::key, layer, 3, prefix);
    const auto new_value = quantized(capture, CacheSide::value, layer, 3, prefix);
    for (std::int64_t head = 0; head < shape.n_heads; ++head) {
      for (std::int64_t s = 0; s < shape.n_tokens; ++s) {
        if (s < first_row) {
          EXPECT_TRUE(std::isnan(result->attention_error(layer, head, s)));
          EXPECT_TRUE(std::isnan(result->output_error(layer, head, s)));
          continue;
        }
        const auto query = capture.query(layer)->sub(head, s).span();
        const std::int64_t kv = head / 2;
        const ExactRow before =
            exact_row(query, capture.key(layer)->sub(kv), capture.value(layer)->sub(kv), s);
        const ExactRow after = exact_row(query, new_key.sub(kv), new_value.sub(kv), s);
        const auto n_keys = static_cast<std::size_t>(s + 1);
        const double row = squared_distance(before.scores, after.scores, 0, n_keys);
        const double out = squared_distance(before.output, after.output, 0, 8) / 8;
        EXPECT_NEAR(result->attention_error(layer, head, s), row, 1e-4 * row + 1e-9);
        EXPECT_NEAR(result->output_error(layer, head, s), out, 1e-4 * out + 1e-9);
        attention += squared_distance(before.scores, after.scores, 0,
                                      std::min(n_keys, static_cast<std::size_t>(prefix)));
        output += out;
        n_rows += 1;
      }
    }
  }
  EXPECT_GT(attention, 0);
  EXPECT_NEAR(*result->mean_attention_error, attention / n_rows / static_cast<double>(prefix),
              1e-5 * attention / n_rows / static_cast<double>(prefix));
  EXPECT_NEAR(*result->mean_output_error, output / n_rows, 1e-5 * output / n_rows);
}

TEST(AttentionReplay, RowsBehindThePrefixByHand) { expect_errors_by_hand(40, 40); }

TEST(AttentionReplay, InSampleRowsByHand) { expect_errors_by_hand(70, 0); }

TEST(AttentionReplay, AnExactCacheChangesNothingBeyondRounding) {
  const auto capture =
      narrative_capture(ReferenceFile(test_data_path("oracle/smollm2_forward_narrative.h5")));
  ReplayOptions options{.params = {}, .prefix = 64};
  options.params.key.level = options.params.value.level = Level::no_quantization;
  const auto result = replay(*capture, options);
  EXPECT_LE(*result->mean_attention_error, 1e-12);
  EXPECT_LE(*result->mean_output_error, 1e-10);
}

TEST(AttentionReplay, WhatIsNotCapturedIsNotMeasured) {
  SyntheticShape shape;
  CaptureInfo info = synthetic_info(shape);
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  info.has_queries = false;
  arrays.query.clear();
  const auto result = replay(MemoryCapture(std::move(info), std::move(arrays)), {});
  EXPECT_FALSE(result->mean_attention_error);
  EXPECT_FALSE(result->mean_output_error);
  EXPECT_TRUE(result->attention_error.empty());
  EXPECT_GT(result->key.quantization_error, 0);
}

// Section 4.4: layers 0, 1, 14, 29, prefix 64, rows 64 to 94, head level, no outliers, bits up
// to 16.
class Section44 : public ::testing::Test {
 protected:
  // Root of the mean error of the replayed rows, over e.
  static double rms_over(const NdArray<float, 3>& errors, double e) {
    double sum = 0;
    int n = 0;
    for (const float x : errors.span()) {
      if (std::isnan(x)) continue;
      sum += x;
      ++n;
    }
    EXPECT_EQ(n, 36 * 31);
    return std::sqrt(sum / n) / e;
  }
  static ReplayOptions options(double e) {
    ReplayOptions out;
    out.prefix = 64;
    for (QaqSideParams* side : {&out.params.key, &out.params.value}) {
      side->outliers_ratio = 0;
      side->n_bits_min = 0;
      side->n_bits_max = 16;
      side->target_quantization_error = e;
    }
    return out;
  }
  std::shared_ptr<const MemoryCapture> capture_ =
      narrative_capture(ReferenceFile(test_data_path("oracle/smollm2_forward_narrative.h5")));
};

TEST_F(Section44, ReferenceKeysMissTheirPromiseSixteenfold) {
  ReplayOptions o = options(0.01);
  o.params.value.level = Level::no_quantization;
  const auto result = replay(*capture_, o);
  EXPECT_NEAR(rms_over(result->attention_error, 0.01), 16.0, 0.1);
}

TEST_F(Section44, ReferenceValuesMissTheirPromiseSixfold) {
  ReplayOptions o = options(0.003);
  o.params.key.level = Level::no_quantization;
  const auto result = replay(*capture_, o);
  EXPECT_NEAR(rms_over(result->output_error, 0.003), 6.0, 0.05);
}

}  // namespace
}  // namespace qaq::test
