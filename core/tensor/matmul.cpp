#include "core/tensor/matmul.h"

#include <Eigen/Core>
#include <algorithm>
#include <cassert>

#include "core/base/parallel.h"

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

void linear(NdView<const float, 2> x, NdView<const float, 2> weight, NdView<float, 2> y,
            bool accumulate) {
  assert(x.shape(1) == weight.shape(1) && y.shape(0) == x.shape(0) &&
         y.shape(1) == weight.shape(0));
  // Blocks depend on the shapes alone, so that a number is computed by the same steps on any
  // thread count. 64 rows of a 576-wide weight are 147 kB: a block stays in the L2 cache.
  constexpr std::int64_t kBlock = 64;
  const std::int64_t n = weight.shape(0), k = weight.shape(1);
  parallel_for((n + kBlock - 1) / kBlock, [&](std::int64_t block) {
    const std::int64_t first = block * kBlock, count = std::min(kBlock, n - first);
    product<true>(matrix(x), {weight.data() + first * k, count, k, k},
                  {y.data() + first, x.shape(0), count, n}, accumulate);
  });
}

}  // namespace qaq
