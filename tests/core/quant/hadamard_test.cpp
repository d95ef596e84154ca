#include "core/quant/hadamard.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/rival_reference.h"

namespace qaq {
namespace {

NdView<float, 2> rows_of(NdArray<float, 3>& layer) {
  return {layer.data(), {layer.shape(0) * layer.shape(1), layer.shape(2)}};
}

double product(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

TEST(Hadamard, RowsOfTheMatrix) {
  for (const std::int64_t size : {1, 2, 16, 64, 128}) {
    for (std::int64_t row = 0; row < size; ++row) {
      NdArray<float, 2> unit({1, size});
      unit(0, row) = 1;
      rotate_hadamard(unit.view());
      for (std::int64_t i = 0; i < size; ++i) {
        const bool odd = std::popcount(static_cast<std::uint64_t>(row & i)) % 2 == 1;
        const double entry = (odd ? -1 : 1) / std::sqrt(static_cast<double>(size));
        EXPECT_NEAR(unit(0, i), entry, 1e-7);
      }
    }
  }
}

TEST(Hadamard, ScoresAreWhatTheyWereAndTwiceIsNothing) {
  for (const std::int64_t size : {16, 64, 128}) {
    auto q = test::random_layer({1, 20, size}, 1), k = test::random_layer({1, 20, size}, 2);
    const auto q_before = q.copy(), k_before = k.copy();
    rotate_hadamard(rows_of(q));
    rotate_hadamard(rows_of(k));
    for (std::int64_t i = 0; i < 20; ++i) {
      for (std::int64_t j = 0; j < 20; ++j) {
        const auto before_q = q_before.sub(0, i).span(), before_k = k_before.sub(0, j).span();
        const double most = std::sqrt(product(before_q, before_q) * product(before_k, before_k));
        EXPECT_NEAR(product(q.sub(0, i).span(), k.sub(0, j).span()), product(before_q, before_k),
                    1e-6 * most);
      }
    }
    EXPECT_GT(std::abs(k(0, 0, 0) - k_before(0, 0, 0)), 1e-3) << "nothing was rotated";
    rotate_hadamard(rows_of(k));
    for (std::int64_t i = 0; i < k.size(); ++i) {
      EXPECT_NEAR(k.data()[i], k_before.data()[i], 1e-5);
    }
  }
}

TEST(Hadamard, OtherSizesAreRefused) {
  for (const std::int64_t size : {3, 80, 96}) {
    NdArray<float, 2> rows({1, size});
    try {
      rotate_hadamard(rows.view());
      ADD_FAILURE() << "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_EQ(error.text().place, "rotate");
      EXPECT_EQ(error.text().cure, "set rotate=none");
    }
  }
}

}  // namespace
}  // namespace qaq
