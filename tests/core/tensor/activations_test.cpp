#include "core/tensor/activations.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numbers>
#include <vector>

namespace qaq {
namespace {

std::vector<float> range() {
  std::vector<float> x{-1000.0f, -40.0f, -1e-6f, 0.0f, 1e-6f, 40.0f, 1000.0f};
  for (int i = -60; i <= 60; ++i) x.push_back(static_cast<float>(i) * 0.0937f);
  return x;
}

template <class Function, class Exact>
void expect_as(Function function, Exact exact) {
  const auto in = range();
  auto out = in;
  function(out);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double x = in[i], expected = exact(x);
    // A float of 1 + erf or 1 + tanh is rounded at 1, whatever is left of it.
    EXPECT_NEAR(out[i], expected, 2e-7 * std::abs(x) + 1e-12) << x;
  }
}

TEST(Activations, ReluIsZeroBelowZero) {
  expect_as([](std::vector<float>& row) { relu(row); }, [](double x) { return x > 0 ? x : 0; });
}

TEST(Activations, GeluIsExact) {
  expect_as([](std::vector<float>& row) { gelu(row); },
            [](double x) { return x / 2 * (1 + std::erf(x / std::numbers::sqrt2)); });
}

TEST(Activations, GeluOfTanhIsItsApproximation) {
  expect_as([](std::vector<float>& row) { gelu_tanh(row); },
            [](double x) {
              const double root = std::sqrt(2 / std::numbers::pi);
              return x / 2 * (1 + std::tanh(root * (x + 0.044715 * x * x * x)));
            });
}

}  // namespace
}  // namespace qaq
