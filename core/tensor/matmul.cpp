#include "core/tensor/matmul.h"

#include <Eigen/Core>
#include <algorithm>
#include <cassert>

#include "core/base/text.h"

#ifdef QAQ_USE_BLAS
#include <cblas.h>
#endif

namespace qaq {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Stride = Eigen::OuterStride<>;

// OpenBLAS splits a product over its own threads in ways that depend on their number. We call it
// from our threads with one thread each, once and for all.
void use_one_blas_thread() {
#ifdef QAQ_USE_BLAS
  static const bool done = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  (void)done;
#endif
}

Eigen::Map<const Matrix, 0, Stride> map(const MatrixIn& m) {
  return {m.data, m.rows, m.cols, Stride(m.stride)};
}

template <bool kTransposed>
void product(const MatrixIn& a, const MatrixIn& b, const MatrixOut& c, bool accumulate) {
  if (c.rows == 0 || c.cols == 0) return;
  use_one_blas_thread();
  Eigen::Map<Matrix, 0, Stride> out(c.data, c.rows, c.cols, Stride(c.stride));
  if (!accumulate) out.setZero();
  if (a.cols == 0) return;
  if constexpr (kTransposed) {
    if (c.rows == 1) {
      // One row: a matrix-vector product reads B once; the general product would pack it first.
      const Eigen::Map<const Eigen::VectorXf> x(a.data, a.cols);
      Eigen::Map<Eigen::VectorXf>(c.data, c.cols).noalias() += map(b) * x;
      return;
    }
    out.noalias() += map(a) * map(b).transpose();
  } else {
    out.noalias() += map(a) * map(b);
  }
}

}  // namespace

void matmul_nt(const MatrixIn& a, const MatrixIn& b, const MatrixOut& c, bool accumulate) {
  assert(a.cols == b.cols && c.rows == a.rows && c.cols == b.rows);
  product<true>(a, b, c, accumulate);
}

void matmul_nn(const MatrixIn& a, const MatrixIn& b, const MatrixOut& c, bool accumulate) {
  assert(a.cols == b.rows && c.rows == a.rows && c.cols == b.cols);
  product<false>(a, b, c, accumulate);
}

std::string blas_name() {
#ifdef QAQ_USE_BLAS
  return cat(openblas_get_config(), " (kernel ", openblas_get_corename(), ")");
#else
  return "Eigen";
#endif
}

}  // namespace qaq
