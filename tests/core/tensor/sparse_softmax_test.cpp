// The softmax of the largest logits alone: which are kept, and that the rest is a softmax of these.
#include "core/tensor/sparse_softmax.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> sparse(std::vector<float> row, std::size_t n_visible, std::int64_t top_k,
                          float scale = 1.0f) {
  sparse_softmax_row(row, n_visible, scale, top_k);
  return row;
}

TEST(SparseSoftmax, ByHand) {
  // Of 0, ln 2, ln 2, ln 4 the largest three: 2, 2 and 4 of 8.
  const auto two = static_cast<float>(std::log(2.0)), four = static_cast<float>(std::log(4.0));
  const std::vector<float> all = sparse({0, two, two, four, 99}, 4, 3);
  EXPECT_FLOAT_EQ(all[1], 0.25f);
  EXPECT_FLOAT_EQ(all[2], 0.25f);
  EXPECT_FLOAT_EQ(all[3], 0.5f);
  EXPECT_EQ(all[0], 0);
  EXPECT_EQ(all[4], 0) << "behind what is seen";
  const std::vector<float> tied = sparse({0, two, two, four}, 4, 2);
  EXPECT_FLOAT_EQ(tied[1], 1.0f / 3) << "of equal ones the one at the lower index";
  EXPECT_EQ(tied[2], 0);
  EXPECT_FLOAT_EQ(tied[3], 2.0f / 3);
  EXPECT_EQ(sparse({3, 5, 5, 1}, 4, 1), (std::vector<float>{0, 1, 0, 0}));
}

TEST(SparseSoftmax, OffOrWideItIsTheSoftmaxByteForByte) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  for (const std::size_t n : {1u, 7u, 32u, 100u}) {
    std::vector<float> row(n + 3, kNan), want;
    std::generate_n(row.begin(), n, [&] { return normal(random); });
    want = row;
    softmax_row(want, n, 0.3f);
    for (const std::int64_t top_k : {0u, static_cast<unsigned>(n), 1000u}) {
      EXPECT_EQ(sparse(row, n, top_k, 0.3f), want) << n << ", top " << top_k;
    }
  }
}

TEST(SparseSoftmax, KeepsAsManyAsAskedAndTheLargest) {
  std::mt19937 random(4);
  for (int round = 0; round < 500; ++round) {
    // Few different logits, so that most rounds have equal ones at the edge.
    const std::size_t n = 2 + random() % 60, top_k = 1 + random() % (n - 1);
    std::vector<float> row(n);
    for (float& x : row) x = static_cast<float>(random() % 7) - 3;
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return row[i]; });
    double sum = 0;
    for (std::size_t i = 0; i < top_k; ++i) sum += std::exp(0.5 * double{row[order[i]]});
    const std::vector<float> got = sparse(row, n, static_cast<std::int64_t>(top_k), 0.5f);
    for (std::size_t i = 0; i < n; ++i) {
      const double want = i < top_k ? std::exp(0.5 * double{row[order[i]]}) / sum : 0;
      ASSERT_NEAR(got[order[i]], want, 1e-6) << "round " << round << ", place " << i;
    }
  }
}

}  // namespace
}  // namespace qaq
