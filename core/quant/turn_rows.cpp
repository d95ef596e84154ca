#include "core/quant/turn_rows.h"

#include <cassert>
#include <cmath>

namespace qaq {

void turn_rows(const NdView<float, 2>& rows, std::int64_t first,
               std::span<const double> frequencies, Turn turn) {
  const std::size_t half = frequencies.size();
  assert(2 * static_cast<std::int64_t>(half) <= rows.shape(1));
  for (std::int64_t n = 0; n < rows.shape(0); ++n) {
    float* const row = rows.sub(n).data();
    const auto position = static_cast<double>(first + n);
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = position * frequencies[i];
      const double cosine = std::cos(angle);
      const double sine = turn == Turn::forward ? std::sin(angle) : -std::sin(angle);
      const double a = row[i], b = row[i + half];
      row[i] = static_cast<float>(a * cosine - b * sine);
      row[i + half] = static_cast<float>(b * cosine + a * sine);
    }
  }
}

}  // namespace qaq
