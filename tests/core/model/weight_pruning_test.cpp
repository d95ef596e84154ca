// Which weights are pruned, and what becomes of a matrix's bytes.
#include "core/model/weight_pruning.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <vector>

#include "core/base/half.h"

namespace qaq {
namespace {

std::vector<float> pruned(std::vector<float> weights, double share) {
  prune_smallest(weights, share);
  return weights;
}

TEST(PruneSmallest, ByHand) {
  const std::vector<float> weights{3, -1, 0.5f, -2, 1, -1, 4, 0.25f};
  EXPECT_EQ(pruned(weights, 0), weights);
  EXPECT_EQ(pruned(weights, 0.12), weights) << "floor(0.96) is 0";
  EXPECT_EQ(pruned(weights, 0.25), (std::vector<float>{3, -1, 0, -2, 1, -1, 4, 0}));
  EXPECT_EQ(pruned(weights, 0.5), (std::vector<float>{3, 0, 0, -2, 0, -1, 4, 0}))
      << "of three of magnitude 1 those at the lower indices";
  EXPECT_EQ(pruned(weights, 0.99), (std::vector<float>{0, 0, 0, 0, 0, 0, 4, 0}));
}

TEST(PruneSmallest, AsManyAsAskedAndNoneLargerThanWhatStays) {
  std::mt19937 random(20);
  for (int round = 0; round < 300; ++round) {
    // Few magnitudes, so that most rounds divide equal ones.
    std::vector<float> weights(1 + random() % 200);
    for (float& x : weights) x = static_cast<float>(1 + random() % 6) * (random() % 2 ? 1.f : -1.f);
    const double share = 0.01 * static_cast<double>(random() % 100);
    const auto n = static_cast<std::int64_t>(share * static_cast<double>(weights.size()));
    std::vector<std::size_t> order(weights.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return std::abs(weights[i]); });
    std::vector<float> want = weights;
    for (std::int64_t i = 0; i < n; ++i) want[order[static_cast<std::size_t>(i)]] = 0;
    const std::vector<float> got = pruned(weights, share);
    ASSERT_EQ(got, want) << "round " << round;
    ASSERT_EQ(std::ranges::count(got, 0.0f), n);
  }
}

WeightView view_of(const std::vector<std::byte>& bytes, WeightType type, std::int64_t rows,
                   std::int64_t cols) {
  return {.name = "w", .type = type, .rows = rows, .cols = cols, .bytes = bytes};
}

std::vector<float> numbers_of(const WeightView& weight) {
  std::vector<float> out(static_cast<std::size_t>(weight.rows * weight.cols));
  decode_matrix(weight, {out.data(), {weight.rows, weight.cols}});
  return out;
}

TEST(PrunedWeight, OfSixteenBitsKeepsTheBytesOfWhatStays) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const WeightType type : {WeightType::f16, WeightType::bf16}) {
    std::vector<std::byte> bytes(2 * 6 * 10);
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
      const float x = normal(random);
      const std::uint16_t bits = type == WeightType::f16 ? half_from_float(x) : bf16_from_float(x);
      std::memcpy(bytes.data() + i, &bits, 2);
    }
    const WeightView weight = view_of(bytes, type, 6, 10);
    const PrunedWeight out = pruned_weight(weight, 0.4);
    EXPECT_EQ(out.view.type, type);
    EXPECT_EQ(std::ssize(out.view.bytes), pruned_bytes(weight));
    EXPECT_EQ(pruned_bytes(weight), std::ssize(bytes));
    EXPECT_EQ(numbers_of(out.view), pruned(numbers_of(weight), 0.4));
    EXPECT_EQ(std::ranges::count(numbers_of(out.view), 0.0f), 24);
  }
}

TEST(PrunedWeight, InBlocksBecomesFloat32) {
  std::mt19937 random(2);
  // Two rows of two blocks of q4_1: scale and minimum in float16, then 16 bytes of codes.
  std::vector<std::byte> bytes(2 * 2 * 20);
  for (std::size_t block = 0; block < 4; ++block) {
    const std::uint16_t scale = half_from_float(0.1f), least = half_from_float(-0.75f);
    std::memcpy(bytes.data() + 20 * block, &scale, 2);
    std::memcpy(bytes.data() + 20 * block + 2, &least, 2);
    for (std::size_t i = 4; i < 20; ++i) bytes[20 * block + i] = static_cast<std::byte>(random());
  }
  const WeightView weight = view_of(bytes, WeightType::q4_1, 2, 64);
  const PrunedWeight out = pruned_weight(weight, 0.3);
  EXPECT_EQ(out.view.type, WeightType::f32);
  EXPECT_EQ(out.view.name, weight.name);
  EXPECT_EQ(pruned_bytes(weight), 4 * 2 * 64);
  EXPECT_EQ(std::ssize(out.view.bytes), 4 * 2 * 64);
  EXPECT_EQ(numbers_of(out.view), pruned(numbers_of(weight), 0.3));
  EXPECT_EQ(std::ranges::count(numbers_of(out.view), 0.0f), 38) << "floor(0.3 * 128)";
}

}  // namespace
}  // namespace qaq
