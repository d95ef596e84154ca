// The byte counts of the mathematics, section 6.
#include "core/quant/packed_bytes.h"

#include <gtest/gtest.h>
#include <numeric>

#include "core/quant/nominal_size.h"

namespace qaq {
namespace {

constexpr PackedFormat kHalf{.dtype = DType::f16, .scale_bytes = 2};

struct PackedUnits {
  Plan plan;
  std::vector<UnitStats> stats;
};

// `n_units` head units of `unit_size` values with 1 % outliers and 2 bits.
PackedUnits units(std::int64_t n_units, std::int64_t unit_size, double ratio = 0.01) {
  PackedUnits out;
  out.plan.quantizer = {.level = Level::head, .outliers_ratio = ratio};
  out.plan.layout = UnitLayout(Level::head, {1, 1, n_units, unit_size});
  out.plan.n_bits.assign(static_cast<std::size_t>(n_units), 2);
  out.plan.n_bits_vary = true;
  std::vector<float> values(static_cast<std::size_t>(unit_size));
  std::iota(values.begin(), values.end(), 0.0f);
  out.stats.assign(static_cast<std::size_t>(n_units),
                   stats_of_unit(values, {.outliers_ratio = ratio}));
  return out;
}

TEST(PackedBytes, HeadUnitOfTheExampleTakes49Bytes) {
  const PackedUnits u = units(1, 128);
  const PackedBytes bytes = packed_bytes(u.plan, u.stats, kHalf);
  EXPECT_EQ(bytes.payload, 32);
  EXPECT_EQ(bytes.scales, 4);
  EXPECT_EQ(bytes.outlier_values, 4);
  EXPECT_EQ(bytes.outlier_indices, 2);
  EXPECT_EQ(bytes.outlier_counts, 2);
  EXPECT_EQ(bytes.bit_map, 1);
  EXPECT_EQ(bytes.offsets, 4);
  EXPECT_EQ(bytes.total(), 49);
}

TEST(PackedBytes, TokenUnitOfLlama2TakesFortyThousand) {
  const PackedUnits u = units(1, 131072);
  const PackedBytes bytes = packed_bytes(u.plan, u.stats, kHalf);
  EXPECT_EQ(bytes.payload, 32768);
  EXPECT_EQ(bytes.outlier_values + bytes.outlier_indices, 7872) << "1312 outliers of 2 + 4 bytes";
  EXPECT_EQ(bytes.total(), 40651);
}

TEST(PackedBytes, NominalSizesOfTheExample) {
  const PackedUnits u = units(1, 128);
  const NominalSize size = nominal_size(u.plan, 16);
  EXPECT_NEAR(size.average_n_bits, 2.14, 1e-12);
  EXPECT_NEAR(size.size_per_token_bits / 8, 38.24, 1e-12);
  EXPECT_NEAR(16 / size.average_n_bits, 7.477, 5e-4);
}

TEST(PackedBytes, ManyOutliersTakeABitmap) {
  const PackedUnits u = units(3, 128, 0.5);
  ASSERT_EQ(u.stats[0].n_inliers, 64);
  EXPECT_EQ(packed_bytes(u.plan, u.stats, kHalf).outlier_indices, 3 * 16);
}

TEST(PackedBytes, FixedBitsNeedNoMapAndNoRatioNoCount) {
  PackedUnits u = units(2, 64, 0);
  u.plan.n_bits_vary = false;
  const PackedBytes bytes = packed_bytes(u.plan, u.stats, {});
  EXPECT_EQ(bytes.total(), 2 * (16 + 8)) << "payload and a float32 scale and mean";
}

TEST(PackedBytes, ZeroBitsKeepOneConstantAndNoInlierNone) {
  PackedUnits u = units(1, 64, 0);
  u.plan.n_bits = {0};
  EXPECT_EQ(packed_bytes(u.plan, u.stats, {}).payload, 0);
  EXPECT_EQ(packed_bytes(u.plan, u.stats, {}).scales, 4);
  u.stats[0].n_inliers = 0;
  EXPECT_EQ(packed_bytes(u.plan, u.stats, {}).scales, 0);
}

TEST(PackedBytes, PayloadIsWholeBytesAUnit) {
  PackedUnits u = units(5, 3, 0);
  u.plan.n_bits = {0, 1, 3, 5, 16};
  EXPECT_EQ(packed_bytes(u.plan, u.stats, {}).payload, 0 + 1 + 2 + 2 + 6);
}

TEST(PackedBytes, SymmetricUnitsHaveNoBase) {
  PackedUnits u = units(1, 64, 0);
  u.plan.quantizer.symmetric = true;
  EXPECT_EQ(packed_bytes(u.plan, u.stats, {}).scales, 4);
}

TEST(PackedBytes, AnExactCacheIsItsValues) {
  Plan plan;
  plan.quantizer.level = Level::no_quantization;
  plan.layout = UnitLayout(Level::no_quantization, {2, 3, 5, 64});
  EXPECT_EQ(packed_bytes(plan, {}, kHalf).total(), 2 * 3 * 5 * 64 * 2);
  EXPECT_EQ(nominal_size(plan, 32).average_n_bits, 32);
  EXPECT_EQ(nominal_size(plan, 32).size_per_token_bits, 32 * 2 * 3 * 64);
}

}  // namespace
}  // namespace qaq
