#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/dtype.h"

namespace qaq {

/// Largest magnitude that stays finite when it is rounded to `dtype`.
float largest_storable(DType dtype);

/// Index of the first number that is NaN or greater in magnitude than `limit`; values.size() where
/// there is none.
std::size_t first_beyond(std::span<const float> values, float limit);

/// `values` rounded to `dtype` (nearest, ties to even), as they lie in a file.
std::vector<std::byte> encoded(std::span<const float> values, DType dtype);
/// float32 of 16-bit numbers. `dtype` is f16 or bf16; both spans have the same length.
void decode(std::span<const std::uint16_t> bits, DType dtype, std::span<float> out);

}  // namespace qaq
