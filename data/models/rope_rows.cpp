#include "data/models/rope_rows.h"

#include <algorithm>
#include <cassert>

namespace qaq {

std::vector<std::byte> half_split_rows(std::span<const std::byte> bytes, std::int64_t row_bytes,
                                       std::int64_t head_dim, std::int64_t n_rotary_dim) {
  assert(n_rotary_dim % 2 == 0 && n_rotary_dim <= head_dim);
  assert(static_cast<std::int64_t>(bytes.size()) % (row_bytes * head_dim) == 0);
  std::vector<std::byte> out(bytes.begin(), bytes.end());
  const std::int64_t n_rows = static_cast<std::int64_t>(bytes.size()) / row_bytes;
  for (std::int64_t head_row = 0; head_row < n_rows; head_row += head_dim) {
    for (std::int64_t i = 0; i < n_rotary_dim; ++i) {
      // Row i of the first half was channel 2i, row i of the second half 2i + 1.
      const std::int64_t half = n_rotary_dim / 2;
      const std::int64_t from = i < half ? 2 * i : 2 * (i - half) + 1;
      std::copy_n(bytes.begin() + (head_row + from) * row_bytes, row_bytes,
                  out.begin() + (head_row + i) * row_bytes);
    }
  }
  return out;
}

}  // namespace qaq
