// A whole cache in codebooks: keys turned back before they are coded, and forward again.
#include "core/quant/codebook_cache_codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>

#include "core/model/rope.h"
#include "core/quant/turn_rows.h"
#include "tests/support/deviation.h"
#include "tests/support/rival_reference.h"

namespace qaq {
namespace {

using test::rival_codecs;

TEST(TurnRows, TurnsPairsByPositionTimesFrequency) {
  NdArray<float, 2> rows({2, 5});
  const float values[] = {1, 0, 0, 2, 7, 1, 0, 0, 2, 7};
  std::copy(std::begin(values), std::end(values), rows.data());
  const double quarter = std::acos(0.0);
  turn_rows(rows.view(), 1, std::vector<double>{quarter, 0}, Turn::forward);
  // Position 1: channel 0 with channel 2 by a quarter. Position 2: by a half. Channel 4 passes.
  const float expected[] = {0, 0, 1, 2, 7, -1, 0, 0, 2, 7};
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_NEAR(rows.data()[i], expected[i], 1e-7) << i;
  turn_rows(rows.view(), 1, std::vector<double>{quarter, 0}, Turn::back);
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_NEAR(rows.data()[i], values[i], 1e-7) << i;
}

std::vector<double> smollm2_rope() {
  return rope_frequencies({.theta = 100000, .n_rotary_dim = 64}, 1);
}

TEST(TurnRows, GivesKvquantsKeysBeforeRope) {
  NdArray<float, 3> keys = test::rival_input("key");
  const NdArray<float, 3> expected = test::layer_of(rival_codecs(), "kvquant/key_pre_rope");
  for (std::int64_t head = 0; head < keys.shape(0); ++head) {
    turn_rows(keys.sub(head), 0, smollm2_rope(), Turn::back);
  }
  test::Deviation deviation;
  deviation.add(std::span<const float>(keys.span()), expected.span());
  EXPECT_LE(deviation.max_abs, 1e-6 * test::largest_magnitude(expected.span()));
}

// Turning changes no length: the error is that of KVQuant's own simulation before RoPE, but for
// centroids of our own.
TEST(CodebookCacheCodec, LosesWhatItLosesBeforeRope) {
  const NdArray<float, 3> keys = test::rival_input("key");
  const NdArray<float, 3> before = test::layer_of(rival_codecs(), "kvquant/key_pre_rope");
  const CacheShape shape{1, keys.shape(0), keys.shape(1), keys.shape(2)};
  const CodebookSpec spec{.n_bits = 3, .first_few_fp16 = 2};
  const std::vector<CacheLayer> layers{keys.view()};
  const auto books = std::make_shared<const CacheCodebooks>(
      calibrate_codebooks(spec, layers, shape.n_tokens, smollm2_rope()));
  const auto codec = codebook_cache_codec(spec, shape, books, layers);
  NdArray<float, 3> read(keys.shape()), alone(keys.shape());
  NdArray<std::uint8_t, 3> outliers({keys.shape(0), keys.shape(1), 8});
  codec->quantize(0, keys.view(), read.view(), outliers.view());
  const std::int64_t n_alone = quantize_by_codebook(spec, books->layers[0], before.view(),
                                                    {0, shape.n_tokens}, {alone.view()});
  EXPECT_NEAR(static_cast<double>(codec->n_outliers()), static_cast<double>(n_alone), 2);
  std::int64_t n_marked = 0;
  for (const std::uint8_t mask : outliers.span()) n_marked += std::popcount(mask);
  EXPECT_EQ(n_marked, codec->n_outliers());
  const auto squares = [](std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - b[i], 2);
    return sum;
  };
  const double error = squares(read.span(), keys.span());
  EXPECT_GT(error, 0);
  EXPECT_NEAR(error, squares(alone.span(), before.span()), 1e-3 * error);
  for (std::int64_t head = 0; head < keys.shape(0); ++head) {
    for (std::int64_t token = 0; token < 3; ++token) {
      EXPECT_EQ(std::ranges::equal(read.sub(head, token).span(), keys.sub(head, token).span()),
                token < 2);
      EXPECT_EQ(codec->n_bits(0, head, token).has_value(), token >= 2);
    }
  }
  EXPECT_EQ(codec->bytes(DType::f16), codebook_bytes(spec, shape, codec->n_outliers(), DType::f16));
}

}  // namespace
}  // namespace qaq
