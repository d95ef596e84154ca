#include "core/tensor/product_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/tensor/linear.h"
#include "core/tensor/matmul.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

// Numbers in (-1, 1), the same on every machine.
NdArray<float, 2> numbers(std::int64_t rows, std::int64_t cols, std::uint32_t state) {
  NdArray<float, 2> out({rows, cols});
  for (float& x : out.span()) {
    state = state * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-31f;
  }
  return out;
}

double error_of_shape(const Multiply& multiply, const Shape<3>& shape) {
  const auto [m, n, k] = shape;
  const NdArray<float, 2> a = numbers(m, k, 1), b = numbers(n, k, 2);
  NdArray<float, 2> c({m, n}, std::nanf(""));
  multiply(a.view(), b.view(), c.view());
  double worst = 0;
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0, magnitude = 0;
      for (std::int64_t t = 0; t < k; ++t) {
        const double term = static_cast<double>(a(i, t)) * static_cast<double>(b(j, t));
        sum += term;
        magnitude += std::abs(term);
      }
      const double bound = static_cast<double>(k) * 0x1p-24 * magnitude;
      const double error = std::abs(static_cast<double>(c(i, j)) - sum) / bound;
      if (std::isnan(error) || error > worst) worst = error;  // nothing exceeds a NaN: it stays
    }
  }
  return worst;
}

}  // namespace

ProductCheck check_product(std::string name, const Multiply& multiply) {
  ProductCheck check{std::move(name), 0};
  // A matrix-vector product, edges that fill no tile, and one that fills several.
  for (const Shape<3>& shape :
       {Shape<3>{1, 65, 129}, Shape<3>{37, 53, 301}, Shape<3>{64, 96, 512}}) {
    const double error = error_of_shape(multiply, shape);
    if (std::isnan(error) || error > check.error) check.error = error;
  }
  return check;
}

std::vector<ProductCheck> check_products() {
  return {check_product(cat("panels (", simd_target_name(), ")"),
                        [](NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c) {
                          const WeightView weight{"", WeightType::f32, b.shape(0), b.shape(1),
                                                  std::as_bytes(b.span())};
                          const LinearOutput output{weight, nullptr, c};
                          linear(a, {&output, 1});
                        }),
          check_product(blas_name(), [](NdView<const float, 2> a, NdView<const float, 2> b,
                                        NdView<float, 2> c) { matmul_nt(a, b, c); })};
}

void require_right_products() {
  static const std::vector<ProductCheck> checks = check_products();
  for (const ProductCheck& check : checks) {
    if (check.right()) continue;
    throw Error(ErrorKind::work,
                {.place = check.name,
                 .what = cat("computes wrong products on this processor: ", check.error,
                             " times the error that rounding allows"),
                 .cure = "use another build of it, or choose its kernel (for OpenBLAS: "
                         "OPENBLAS_CORETYPE=Haswell); see qaq doctor"});
  }
}

}  // namespace qaq
