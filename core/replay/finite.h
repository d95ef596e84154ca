#pragma once

#include <cstdint>
#include <string>

#include "core/tensor/dtype.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// What the numbers of a captured layer are and what its axes are called.
struct AxisWords {
  const char* what;
  const char* head;
  const char* row;
  const char* column;
  std::int64_t first_row = 0;  ///< what the first row is called
};

/// Refuses NaN, infinity and what `dtype` cannot hold among the numbers (heads, rows, columns) of a
/// layer, naming the place: "key, layer 3, KV head 1, token 5, channel 7".
void refuse_nonfinite(const NdView<const float, 3>& numbers, const std::string& file,
                      std::int32_t layer, const AxisWords& words, DType dtype = DType::f32);

}  // namespace qaq
