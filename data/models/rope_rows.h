#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qaq {

/// Rows of a query or key matrix brought from interleaved RoPE order (channels 2i and 2i + 1 turn
/// together; GGUF's order for LLaMA) to half-split order (i and i + n_rotary_dim / 2). Of each head
/// the first `n_rotary_dim` rows move, the rest stay.
///
/// `bytes` holds whole rows of `row_bytes` bytes, a multiple of `head_dim` of them.
std::vector<std::byte> half_split_rows(std::span<const std::byte> bytes, std::int64_t row_bytes,
                                       std::int64_t head_dim, std::int64_t n_rotary_dim);

}  // namespace qaq
