#include "core/quant/hadamard.h"

#include <bit>
#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

void require_hadamard(std::int64_t head_dim) {
  if (head_dim > 0 && std::has_single_bit(static_cast<std::uint64_t>(head_dim))) return;
  refuse_usage({.place = "rotate",
                .what = cat("hadamard needs a head_dim that is a power of two, not ", head_dim),
                .cure = "set rotate=none"});
}

void rotate_hadamard(const NdView<float, 2>& rows) {
  const std::int64_t size = rows.shape(1);
  require_hadamard(size);
  const float factor = 1.0f / std::sqrt(static_cast<float>(size));
  for (std::int64_t row = 0; row < rows.shape(0); ++row) {
    float* const x = rows.sub(row).data();
    for (std::int64_t half = 1; half < size; half *= 2) {
      for (std::int64_t at = 0; at < size; at += 2 * half) {
        for (std::int64_t i = at; i < at + half; ++i) {
          const float a = x[i], b = x[i + half];
          x[i] = a + b;
          x[i + half] = a - b;
        }
      }
    }
    for (std::int64_t i = 0; i < size; ++i) x[i] *= factor;
  }
}

}  // namespace qaq
