#include "core/engine/rope_angles.h"

#include <algorithm>
#include <cmath>

#include "core/base/parallel.h"

namespace qaq {

void fill_rope_angles(const RopeSpec& rope, const BatchRows& run, RopeAngles& angles) {
  const auto frequencies = rope_frequencies(rope, run.first_position + run.n_rows);
  const auto n_pairs = static_cast<std::int64_t>(frequencies.size());
  const Shape<2> shape{run.n_rows, n_pairs};
  if (angles.cos.shape() != shape) angles = {NdArray<float, 2>(shape), NdArray<float, 2>(shape)};
  constexpr std::int64_t kRowsPerTask = 16;  // one row alone is not worth a task
  parallel_for((run.n_rows + kRowsPerTask - 1) / kRowsPerTask, [&](std::int64_t block) {
    const std::int64_t last = std::min(run.n_rows, (block + 1) * kRowsPerTask);
    for (std::int64_t row = block * kRowsPerTask; row < last; ++row) {
      const auto position = static_cast<double>(run.first_position + row);
      for (std::int64_t pair = 0; pair < n_pairs; ++pair) {
        const double angle = position * frequencies[static_cast<std::size_t>(pair)];
        angles.cos(row, pair) = static_cast<float>(std::cos(angle) * rope.attention_factor);
        angles.sin(row, pair) = static_cast<float>(std::sin(angle) * rope.attention_factor);
      }
    }
  });
}

}  // namespace qaq
