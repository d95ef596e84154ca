#include "core/tensor/matmul.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "core/base/parallel.h"

namespace qaq {
namespace {

NdArray<float, 2> random_matrix(std::int64_t rows, std::int64_t cols, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  NdArray<float, 2> out({rows, cols});
  for (float& x : out.span()) x = normal(engine);
  return out;
}

// |error| of a float32 sum of k products is at most about k * 2^-24 * sum |products|.
void expect_product(const NdArray<float, 2>& a, const NdArray<float, 2>& b, bool b_transposed,
                    const NdArray<float, 2>& c, float start) {
  for (std::int64_t i = 0; i < c.shape(0); ++i) {
    for (std::int64_t j = 0; j < c.shape(1); ++j) {
      double sum = start, magnitude = std::abs(start);
      for (std::int64_t k = 0; k < a.shape(1); ++k) {
        const double term = static_cast<double>(a(i, k)) * (b_transposed ? b(j, k) : b(k, j));
        sum += term;
        magnitude += std::abs(term);
      }
      const double bound = static_cast<double>(a.shape(1) + 2) * 0x1p-24 * magnitude;
      ASSERT_NEAR(c(i, j), sum, bound) << i << ", " << j;
    }
  }
}

TEST(Matmul, OddShapesAgainstFloat64) {
  for (const auto& [m, k, n] :
       {std::array{1, 1, 1}, {1, 576, 49}, {3, 7, 5}, {65, 64, 33}, {17, 0, 4}}) {
    const auto a = random_matrix(m, k, 1), b = random_matrix(n, k, 2), b2 = random_matrix(k, n, 3);
    NdArray<float, 2> c({m, n}, 0.5f), d({m, n}, 0.5f), e({m, n}, 0.5f);
    matmul_nt(a.view(), b.view(), c.view());
    expect_product(a, b, true, c, 0);
    matmul_nt(a.view(), b.view(), d.view(), true);
    expect_product(a, b, true, d, 0.5f);
    matmul_nn(a.view(), b2.view(), e.view());
    expect_product(a, b2, false, e, 0);
  }
}

TEST(Matmul, StaysInsideAStridedTarget) {
  const auto a = random_matrix(3, 8, 1), b = random_matrix(2, 8, 2);
  NdArray<float, 2> whole({3, 6}, 9.0f);
  matmul_nt(matrix(a.view()), matrix(b.view()), {whole.data() + 2, 3, 2, 6});
  for (std::int64_t row = 0; row < 3; ++row) {
    for (const std::int64_t col : {0, 1, 4, 5}) EXPECT_EQ(whole(row, col), 9.0f);
    EXPECT_NE(whole(row, 2), 9.0f);
  }
}

}  // namespace
}  // namespace qaq
