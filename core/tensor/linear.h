#pragma once

#include <span>

#include "core/tensor/nd_array.h"
#include "core/tensor/weight_block.h"

namespace qaq {

/// One output of a linear layer: y = x W^T + bias, or y += with `accumulate`.
struct LinearOutput {
  WeightView weight;            ///< W (n, k), as stored
  const float* bias = nullptr;  ///< (n), or null
  NdView<float, 2> y;           ///< (rows, n)
  bool accumulate = false;
};

/// Several linear layers of one input x (rows, k) at once, on several threads, straight from the
/// stored weights and exact to float32 rounding. Every number is computed by the same steps on any
/// thread count.
///
/// Many rows: 32 outputs' weights at a time are decoded into a panel in the cache, which serves all
/// rows. Few rows (a decoded token): the stored blocks are read once and multiplied as they come.
void linear(NdView<const float, 2> x, std::span<const LinearOutput> outputs);

}  // namespace qaq
