#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace qaq {

/// softmax_row() over the `top_k` largest of row[0 .. n_visible) alone, of equal ones those at the
/// lower indices; the others become zero. With top_k 0, or n_visible and more, it is softmax_row(),
/// byte for byte.
void sparse_softmax_row(std::span<float> row, std::size_t n_visible, float scale,
                        std::int64_t top_k);

}  // namespace qaq
