// Rule nsigma in a replay: its neutral settings are plain QAQ, and sizes count what is kept.
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::array kLevels{Level::token, Level::layer, Level::head};
constexpr std::array kSides{&ReplayResult::key, &ReplayResult::value};

QaqParams params_at(Level level, double n_sigma, double max_outliers) {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->level = level;
    side->outlier_rule = OutlierRule::nsigma;
    side->n_sigma = n_sigma;
    side->max_outliers = max_outliers;
  }
  return params;
}

QaqParams plain_at(Level level) {
  QaqParams params;
  params.key.level = params.value.level = level;
  params.key.outliers_ratio = params.value.outliers_ratio = 0;
  return params;
}

template <class T, std::size_t Rank>
bool same_bytes(const NdArray<T, Rank>& a, const NdArray<T, Rank>& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), a.view().span().size_bytes()) == 0;
}

void expect_same_values(const ReplayResult& got, const ReplayResult& want) {
  for (const auto side : kSides) {
    EXPECT_TRUE(same_bytes((got.*side).bits, (want.*side).bits));
    EXPECT_TRUE(same_bytes((got.*side).outliers, (want.*side).outliers));
    EXPECT_TRUE(same_bytes((got.*side).error, (want.*side).error));
    EXPECT_EQ((got.*side).average_n_bits, (want.*side).average_n_bits);
    EXPECT_EQ((got.*side).size_per_token_bits, (want.*side).size_per_token_bits);
  }
  EXPECT_TRUE(same_bytes(got.attention_error, want.attention_error));
  EXPECT_TRUE(same_bytes(got.output_error, want.output_error));
}

TEST(OutlierRule, WithoutRoomForOutliersItIsPlain) {
  const MemoryCapture capture = synthetic_capture();
  for (const Level level : kLevels) {
    SCOPED_TRACE(static_cast<int>(level));
    const auto got = replay(capture, {params_at(level, 1, 0), 20});
    const auto want = replay(capture, {plain_at(level), 20});
    expect_same_values(*got, *want);
    EXPECT_EQ(got->key.packed, want->key.packed);
    EXPECT_EQ(got->value.packed, want->value.packed);
  }
}

TEST(OutlierRule, BeyondTheRootOfNItIsPlainWithACountAUnit) {
  const SyntheticShape shape;
  const MemoryCapture capture = synthetic_capture(shape);
  for (const Level level : kLevels) {
    SCOPED_TRACE(static_cast<int>(level));
    const UnitLayout layout(level, {shape.n_layers, shape.n_kv_heads, 20, shape.head_dim});
    const double root = std::sqrt(static_cast<double>(layout.unit_size()));
    const auto got = replay(capture, {params_at(level, root, 0.5), 20});
    const auto want = replay(capture, {plain_at(level), 20});
    expect_same_values(*got, *want);
    PackedBytes packed = want->key.packed;
    packed.outlier_counts = 2 * layout.n_units();
    EXPECT_EQ(got->key.packed, packed);
  }
}

TEST(OutlierRule, SizesCountWhatIsKept) {
  const MemoryCapture capture = synthetic_capture();
  for (const Level level : kLevels) {
    SCOPED_TRACE(static_cast<int>(level));
    const auto result = replay(capture, {params_at(level, 1.5, 0.2), 20});
    for (const auto side : kSides) {
      const CacheReplay& cache = (*result).*side;
      std::int64_t n_marked = 0;
      for (const std::uint8_t byte : cache.outliers.view().span()) n_marked += std::popcount(byte);
      EXPECT_GT(n_marked, 0);
      EXPECT_EQ(cache.n_outliers, n_marked);
      EXPECT_EQ(cache.packed.outlier_values, 4 * n_marked) << "float32";
      const double share = static_cast<double>(n_marked) / static_cast<double>(cache.n_values);
      EXPECT_NEAR(cache.average_n_bits, cache.mean_bits * (1 - share) + 16 * share, 1e-12);
    }
  }
}

TEST(OutlierRule, OneCacheMayFollowEachRule) {
  const MemoryCapture capture = synthetic_capture();
  QaqParams mixed = params_at(Level::head, 1.5, 0.2);
  const auto both = replay(capture, {mixed, 20});
  mixed.value = QaqParams{}.value;
  const auto one = replay(capture, {mixed, 20});
  EXPECT_TRUE(same_bytes(one->key.outliers, both->key.outliers));
  EXPECT_TRUE(same_bytes(one->value.outliers, replay(capture, {QaqParams{}, 20})->value.outliers));
}

}  // namespace
}  // namespace qaq::test
