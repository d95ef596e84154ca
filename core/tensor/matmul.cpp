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

// A row-major matrix whose rows are `stride` numbers apart.
struct Operand {
  const float* data;
  std::int64_t rows, cols, stride;
};
struct Output {
  float* data;
  std::int64_t rows, cols, stride;
};

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

Eigen::Map<const Matrix, 0, Stride> map(const Operand& m) {
  return {m.data, m.rows, m.cols, Stride(m.stride)};
}

template <bool kTransposed>
void product(const Operand& a, const Operand& b, const Output& c, bool accumulate) {
  if (c.rows == 0 || c.cols == 0) return;
  use_one_blas_thread();
  Eigen::Map<Matrix, 0, Stride> out(c.data, c.rows, c.cols, Stride(c.stride));
  if (!accumulate) out.setZero();
  if (a.cols == 0) return;
  if constexpr (kTransposed) {
    out.noalias() += map(a) * map(b).transpose();
  } else {
    out.noalias() += map(a) * map(b);
  }
}

Operand operand(NdView<const float, 2> v) { return {v.data(), v.shape(0), v.shape(1), v.shape(1)}; }
Output output(NdView<float, 2> v) { return {v.data(), v.shape(0), v.shape(1), v.shape(1)}; }

}  // namespace

void matmul_nt(NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c,
               bool accumulate) {
  assert(a.shape(1) == b.shape(1) && c.shape(0) == a.shape(0) && c.shape(1) == b.shape(0));
  product<true>(operand(a), operand(b), output(c), accumulate);
}

void matmul_nn(NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c,
               bool accumulate) {
  assert(a.shape(1) == b.shape(0) && c.shape(0) == a.shape(0) && c.shape(1) == b.shape(1));
  product<false>(operand(a), operand(b), output(c), accumulate);
}

void linear(NdView<const float, 2> x, NdView<const float, 2> weight, NdView<float, 2> y,
            bool accumulate) {
  assert(x.shape(1) == weight.shape(1) && y.shape(0) == x.shape(0) && y.shape(1) == weight.shape(0));
  // Blocks depend on the shapes alone, so that a number is computed by the same steps on any
  // thread count. 64 rows of a 576-wide weight are 147 kB: a block stays in the L2 cache.
  constexpr std::int64_t kBlock = 64;
  const std::int64_t n = weight.shape(0), k = weight.shape(1);
  parallel_for((n + kBlock - 1) / kBlock, [&](std::int64_t block) {
    const std::int64_t first = block * kBlock, count = std::min(kBlock, n - first);
    product<true>(operand(x), {weight.data() + first * k, count, k, k},
                  {y.data() + first, x.shape(0), count, n}, accumulate);
  });
}

}  // namespace qaq
