#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/tensor/nd_array.h"

namespace qaq {

/// Whether one way of multiplying matrices computes what a plain loop in float64 does. Some builds
/// of OpenBLAS give wrong numbers on some processors, without any sign of it.
struct ProductCheck {
  std::string name;  ///< library, version and kernel: "OpenBLAS 0.3.21 ... (kernel Haswell)"
  /// Largest |error| of an element as a share of what rounding alone can cause: depth times
  /// 2^-24 times the sum of the terms' magnitudes.
  double error = 0;
  bool right() const { return error <= 1.0; }  // false for NaN, too
};

/// C = A B^T: A (m, k), B (n, k), C (m, n).
using Multiply =
    std::function<void(NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c)>;

/// Holds `multiply` against a plain loop on matrices with odd edges. Takes milliseconds.
ProductCheck check_product(std::string name, const Multiply& multiply);

/// The ways that this build uses: the engine's own kernels, and BLAS (or Eigen).
std::vector<ProductCheck> check_products();

/// Throws Error{work} naming one that is wrong. They are checked once, at the first call.
void require_right_products();

}  // namespace qaq
