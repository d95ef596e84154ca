#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensor/weight_block.h"

namespace qaq {

/// Position of the first number of a row that is NaN or infinite, or -1. Of quantized types only
/// the scales are looked at: whatever the codes, a finite scale makes finite numbers and another
/// one makes none in the whole block.
std::int64_t first_not_finite(WeightType type, std::span<const std::byte> row);

}  // namespace qaq
