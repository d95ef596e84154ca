// Rows of scores as they leave the GPU: only the keys that a row can see, so half of what whole
// rows would take.
#pragma once

#include <cstdint>

#include "core/quant/arith.h"

namespace qaq::cuda {

/// Numbers that the rows of positions 0 to position - 1 take: position + 1 each, up to the next
/// multiple of four, so that rows begin at multiples of 16 bytes.
QAQ_HD inline std::int64_t triangle_size(std::int64_t position) {
  const std::int64_t quads = position / 4, rest = position % 4;
  return 8 * quads * (quads + 1) + 4 * rest * (quads + 1);
}

/// Numbers of the rows of positions [first, first + n_rows): what a head of a slab takes.
QAQ_HD inline std::int64_t triangle_size(std::int64_t first, std::int64_t n_rows) {
  return triangle_size(first + n_rows) - triangle_size(first);
}

}  // namespace qaq::cuda
