#include "core/tensor/linear.h"

#include <cmath>
#include <gtest/gtest.h>

#include "core/base/parallel.h"
#include "tests/core/tensor/random_numbers.h"

namespace qaq {
namespace {

using test::random_numbers;

WeightView f32_weight(const std::vector<float>& numbers, std::int64_t rows, std::int64_t cols) {
  return {"w", WeightType::f32, rows, cols, std::as_bytes(std::span(numbers))};
}

// Two layers of one input: one with a bias, one that adds to what is there. Rows on both sides of
// the choice between panels and rows, and columns deeper than one panel.
TEST(Linear, SeveralOutputsOfOneInput) {
  const std::int64_t k = 2500;
  const auto w1 = random_numbers(70 * k, 1), w2 = random_numbers(33 * k, 2);
  const auto bias = random_numbers(70, 3);
  for (const std::int64_t n_rows : {1, 3, 4, 29}) {
    const auto x = random_numbers(n_rows * k, 4);
    NdArray<float, 2> y1({n_rows, 70}, std::nanf("")), y2({n_rows, 33}, 10.0f);
    const LinearOutput outputs[] = {{f32_weight(w1, 70, k), bias.data(), y1.view()},
                                    {f32_weight(w2, 33, k), nullptr, y2.view(), true}};
    linear({x.data(), {n_rows, k}}, outputs);
    const auto expect = [&](const NdArray<float, 2>& y, const std::vector<float>& w,
                            const auto& start) {
      for (std::int64_t i = 0; i < y.shape(0); ++i) {
        for (std::int64_t j = 0; j < y.shape(1); ++j) {
          double sum = start(j), magnitude = std::abs(sum);
          for (std::int64_t t = 0; t < k; ++t) {
            const double term = static_cast<double>(x[static_cast<std::size_t>(i * k + t)]) *
                                w[static_cast<std::size_t>(j * k + t)];
            sum += term;
            magnitude += std::abs(term);
          }
          ASSERT_NEAR(y(i, j), sum, static_cast<double>(k) * 0x1p-24 * magnitude)
              << n_rows << " rows: " << i << ", " << j;
        }
      }
    };
    expect(y1, w1, [&](std::int64_t j) { return bias[static_cast<std::size_t>(j)]; });
    expect(y2, w2, [](std::int64_t) { return 10.0f; });
  }
}

TEST(Linear, SameBytesOnAnyThreadCount) {
  const std::int64_t n = 300, k = 576;
  const auto w = random_numbers(n * k, 5), x = random_numbers(40 * k, 6);
  for (const std::int64_t n_rows : {1, 40}) {
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 5}) {
      set_thread_count(threads);
      NdArray<float, 2> y({n_rows, n});
      const LinearOutput output{f32_weight(w, n, k), nullptr, y.view()};
      linear({x.data(), {n_rows, k}}, {&output, 1});
      results.emplace_back(y.span().begin(), y.span().end());
    }
    set_thread_count(0);
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
  }
}

}  // namespace
}  // namespace qaq
