#pragma once

#include <cstddef>

#include "core/tensor/weight_block.h"

namespace qaq {

/// Decodes one block: block_bytes bytes at any alignment into block_elements numbers.
using BlockDecoder = void (*)(const std::byte* block, float* out);

/// The decoder of a type that is stored in blocks of several numbers (all but f32, f16 and bf16),
/// in plain scalar code: what faster kernels are held against. WeightType says what each computes.
BlockDecoder block_decoder(WeightType type);

/// The 16 numbers that the codes of iq4_nl and iq4_xs stand for, before the scale.
inline constexpr signed char kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

}  // namespace qaq
