#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/nd_array.h"

namespace qaq {

/// Which way rows are turned: as RoPE turns a row at its position, or back.
enum class Turn { forward, back };

/// Turns rows (n, D) that stand at the positions first, first + 1, ... in place: channels i and i +
/// frequencies.size() by position * frequencies[i] radians (RoPE, half-split order); other channels
/// pass. Angles and products in float64. On the calling thread.
void turn_rows(const NdView<float, 2>& rows, std::int64_t first,
               std::span<const double> frequencies, Turn turn);

}  // namespace qaq
