#include "core/analysis/maps.h"

#include <cmath>
#include <gtest/gtest.h>

#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr float kAbsent = Heatmap::kAbsent, kImpossible = Heatmap::kImpossible;

// Layers 1 and 3 of a model of five, 24 tokens of which 15 are quantized.
class Maps : public ::testing::Test {
 protected:
  Maps() {
    CaptureInfo info = synthetic_info({});
    info.layers = {1, 3};
    info.shape.n_layers = 5;
    capture_ = std::make_unique<MemoryCapture>(std::move(info), synthetic_arrays({}, 1));
    ReplayOptions options;
    options.prefix = 15;
    options.params.value.target_quantization_error = 0.3;
    options.params.value.outliers_ratio = 0.3;
    result_ = replay(*capture_, options);
  }
  const CaptureInfo& info() const { return capture_->info(); }

  std::unique_ptr<MemoryCapture> capture_;
  SharedReplay result_;
};

TEST_F(Maps, BitMapHasTheModelsLayersWithTheirKvHeads) {
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const Heatmap map = bit_map(*result_, info(), side);
    EXPECT_TRUE((std::holds_alternative<NdView<const std::uint8_t, 2>>(map.cells())));
    ASSERT_EQ(map.rows(), 5 * 2);
    ASSERT_EQ(map.columns(), 24);
    const CacheReplay& cache = side == CacheSide::key ? result_->key : result_->value;
    for (std::int64_t row = 0; row < 10; ++row) {
      const std::int64_t layer = row / 2, head = row % 2;
      for (std::int64_t token = 0; token < 24; ++token) {
        if (layer != 1 && layer != 3) {
          EXPECT_EQ(map.at(row, token), kAbsent);
        } else if (token >= 15) {
          EXPECT_EQ(map.at(row, token), kImpossible);
        } else {
          EXPECT_EQ(map.at(row, token), cache.bits(layer == 1 ? 0 : 1, head, token));
        }
      }
    }
  }
}

TEST_F(Maps, HistogramCountsThePrefix) {
  const BitHistogram histogram = bit_histogram(*result_, CacheSide::value);
  EXPECT_EQ(histogram.total, 2 * 2 * 15);
  std::int64_t sum = 0, weighted = 0;
  for (std::size_t bits = 0; bits < histogram.count.size(); ++bits) {
    sum += histogram.count[bits];
    weighted += histogram.count[bits] * static_cast<std::int64_t>(bits);
  }
  EXPECT_EQ(sum, histogram.total);
  EXPECT_DOUBLE_EQ(histogram.mean, static_cast<double>(weighted) / 60);
  EXPECT_NEAR(histogram.mean, result_->value.mean_bits, 1e-6);
  EXPECT_GE(histogram.count[8], 2 * 2 * 4) << "the newest four tokens";
}

TEST_F(Maps, HistogramOfAnExactCacheIsItsType) {
  ReplayOptions options;
  options.params.key.level = Level::no_quantization;
  options.params.dtype_bits = 32;
  const BitHistogram histogram = bit_histogram(*replay(*capture_, options), CacheSide::key);
  EXPECT_EQ(histogram.count[32], 2 * 2 * 24);
  EXPECT_EQ(histogram.mean, 32);
}

TEST_F(Maps, MagnitudeHasChannelsAsRows) {
  const Heatmap map = magnitude_map(*capture_, CacheSide::value, 1, 0);
  ASSERT_EQ(map.rows(), 8);
  ASSERT_EQ(map.columns(), 24);
  for (std::int64_t channel = 0; channel < 8; ++channel) {
    for (std::int64_t token = 0; token < 24; ++token) {
      EXPECT_EQ(map.at(channel, token), std::abs((*capture_->value(1))(0, token, channel)));
    }
  }
}

TEST_F(Maps, OutlierMaskMarksWhatWasKept) {
  std::int64_t n_marked = 0;
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    for (std::int64_t head = 0; head < 2; ++head) {
      const Heatmap map = outlier_mask(*result_, info(), CacheSide::value, layer, head);
      ASSERT_EQ(map.rows(), 8);
      for (std::int64_t channel = 0; channel < 8; ++channel) {
        for (std::int64_t token = 0; token < 24; ++token) {
          const float cell = map.at(channel, token);
          EXPECT_EQ(cell == kImpossible, token >= 15);
          n_marked += cell == 1;
        }
      }
    }
  }
  EXPECT_EQ(n_marked, result_->value.n_outliers);
  // 30 % of 8 values: the two smallest (k_lo 2) and the two above the 6th.
  EXPECT_EQ(n_marked, 60 * 4);
}

TEST_F(Maps, AttentionIsLowerTriangular) {
  const Heatmap one = attention_map(*capture_, 1, 3, false);
  const auto scores = capture_->attention(1, 0, 24);
  for (std::int64_t s = 0; s < 24; ++s) {
    for (std::int64_t t = 0; t < 24; ++t) {
      EXPECT_EQ(one.at(s, t), t > s ? kImpossible : (*scores)(3, s, t));
    }
  }
}

TEST_F(Maps, AttentionOfAGroupIsItsMaximum) {
  const Heatmap group = attention_map(*capture_, 0, 1, true);
  const auto scores = capture_->attention(0, 0, 24);
  for (std::int64_t s = 0; s < 24; ++s) {
    for (std::int64_t t = 0; t <= s; ++t) {
      EXPECT_EQ(group.at(s, t), std::max((*scores)(2, s, t), (*scores)(3, s, t)));
    }
  }
}

TEST_F(Maps, RowsThatWereNotCapturedAreAbsent) {
  const Heatmap map = attention_map(synthetic_capture({}, 1, 3), 0, 0, false);
  EXPECT_EQ(map.at(20, 5), kAbsent);
  EXPECT_EQ(map.at(20, 21), kImpossible);
  EXPECT_GT(map.at(21, 5), 0);
}

}  // namespace
}  // namespace qaq::test
