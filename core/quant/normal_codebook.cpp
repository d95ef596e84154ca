#include "core/quant/normal_codebook.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>
#include <mutex>
#include <numbers>

#include "core/quant/arith.h"

namespace qaq {
namespace {

// P(X <= x) - p without cancellation: near the middle by erf, which is small there, else by erfc.
double excess(double x, double p) {
  const double y = x / std::numbers::sqrt2;
  if (p > 0.25) return (std::erf(y) - (2 * p - 1)) / 2;
  return std::erfc(-y) / 2 - p;
}

// For 0 < p <= 1/2. The start is a rational fit of the tail, good to 3e-3; Halley's iteration
// triples the digits each time.
double lower_quantile(double p) {
  const double t = std::sqrt(-2 * std::log(p));
  double x = (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t)) - t;
  for (int i = 0; i < 4; ++i) {
    const double inverse_density = std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
    const double step = excess(x, p) * inverse_density;
    x -= step / (1 + x * step / 2);
  }
  return x;
}

NormalCodebook make_codebook(int n_bits) {
  NormalCodebook book;
  const int n = 1 << n_bits;
  for (int i = 0; i < n; ++i) {
    const bool last = i + 1 == n;
    book.upper.push_back(last ? std::numeric_limits<float>::infinity()
                              : static_cast<float>(normal_quantile((i + 1.0) / n)));
    book.centre.push_back(static_cast<float>(normal_quantile((i + 0.5) / n)));
  }
  return book;
}

}  // namespace

double normal_quantile(double p) {
  if (p == 0.5) return 0;
  return p < 0.5 ? lower_quantile(p) : -lower_quantile(1 - p);
}

std::uint32_t NormalCodebook::cell(float z) const {
  return static_cast<std::uint32_t>(std::lower_bound(upper.begin(), upper.end(), z) -
                                    upper.begin());
}

const NormalCodebook& normal_codebook(int n_bits) {
  assert(n_bits >= 0 && n_bits <= kMaxBits);
  static std::array<std::once_flag, kMaxBits + 1> made;
  static std::array<NormalCodebook, kMaxBits + 1> books;
  const auto i = static_cast<std::size_t>(n_bits);
  std::call_once(made[i], [&] { books[i] = make_codebook(n_bits); });
  return books[i];
}

}  // namespace qaq
