#pragma once

#include "core/tensor/nd_array.h"

namespace qaq {

/// Products of row-major float32 matrices on the calling thread, by OpenBLAS where it is there,
/// else by Eigen. The result does not depend on the number of threads: callers split the work into
/// pieces of fixed size. Shapes that do not fit are programmer mistakes (asserted).

/// C = A B^T, or C += A B^T with `accumulate`: A (m, k), B (n, k), C (m, n).
void matmul_nt(NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c,
               bool accumulate = false);

/// C = A B, or C += A B with `accumulate`: A (m, k), B (k, n), C (m, n).
void matmul_nn(NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c,
               bool accumulate = false);

/// y = x W^T with x (rows, k), W (n, k), y (rows, n): a linear layer, split over threads in fixed
/// blocks of W's rows.
void linear(NdView<const float, 2> x, NdView<const float, 2> weight, NdView<float, 2> y,
            bool accumulate = false);

}  // namespace qaq
