#pragma once

#include <string>

#include "core/tensor/nd_array.h"

namespace qaq {

/// Products of row-major float32 matrices on the calling thread, by OpenBLAS where it is there,
/// else by Eigen. The result does not depend on the number of threads: callers split the work into
/// pieces of fixed size. Shapes that do not fit are programmer mistakes (asserted).

/// A row-major matrix inside a larger one: rows are `stride` numbers apart.
struct MatrixIn {
  const float* data;
  std::int64_t rows, cols, stride;
};
struct MatrixOut {
  float* data;
  std::int64_t rows, cols, stride;
};
inline MatrixIn matrix(NdView<const float, 2> v) {
  return {v.data(), v.shape(0), v.shape(1), v.shape(1)};
}
inline MatrixOut matrix(NdView<float, 2> v) {
  return {v.data(), v.shape(0), v.shape(1), v.shape(1)};
}

/// C = A B^T, or C += A B^T with `accumulate`: A (m, k), B (n, k), C (m, n).
void matmul_nt(const MatrixIn& a, const MatrixIn& b, const MatrixOut& c, bool accumulate = false);
inline void matmul_nt(NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c,
                      bool accumulate = false) {
  matmul_nt(matrix(a), matrix(b), matrix(c), accumulate);
}

/// C = A B, or C += A B with `accumulate`: A (m, k), B (k, n), C (m, n).
void matmul_nn(const MatrixIn& a, const MatrixIn& b, const MatrixOut& c, bool accumulate = false);
inline void matmul_nn(NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c,
                      bool accumulate = false) {
  matmul_nn(matrix(a), matrix(b), matrix(c), accumulate);
}

/// The library that multiplies, and its kernel for this processor: "OpenBLAS 0.3.21 ... (kernel
/// Haswell)", or "Eigen".
std::string blas_name();

}  // namespace qaq
