#include "gpu/engine/products.h"

#include "gpu/cuda/kernels/linear.h"
#include "gpu/device/error.h"

namespace qaq::cuda {

void Products::multiply(const HalfLinearCall& call, const Stream& stream) {
  if (call.dtype == DType::f32) {
    check(linear({.in = static_cast<const float*>(call.in),
                  .weight = static_cast<const float*>(call.weight),
                  .bias = call.bias,
                  .out = call.out,
                  .n_rows = call.n_rows,
                  .n = call.n,
                  .k = call.k,
                  .accumulate = call.accumulate},
                 stream.get()),
          "linear");
    return;
  }
  if (library_ && call.n_rows > kFewHalfRows && library_->matmul(call, workspace_, stream.get())) {
    return;
  }
  check(half_linear(call, stream.get()), "half_linear");
}

}  // namespace qaq::cuda
