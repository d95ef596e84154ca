#include "core/quant/unit_errors.h"

#include <cassert>
#include <vector>

#include "core/quant/unit_grid.h"

namespace qaq {

void fill_unit_errors(const UnitLayout& layout, const QuantizerSpec& spec,
                      std::span<const UnitStats> stats, std::int64_t first_layer,
                      std::span<const CacheLayer> layers, std::span<float> errors) {
  assert(spec.method == Method::uniform);
  assert(static_cast<std::int64_t>(errors.size()) == layout.n_units() * kBitChoices);
  for_each_unit(layout, first_layer, layers, [&](std::size_t unit, std::span<const float> values) {
    const UnitStats& s = stats[unit];
    std::vector<float> inliers;
    inliers.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!s.is_outlier(values[i], static_cast<std::int64_t>(i))) inliers.push_back(values[i]);
    }
    for (int n_bits = 0; n_bits <= kMaxBits; ++n_bits) {
      const UniformGrid grid = unit_grid(spec, s, n_bits);
      double sum = 0;
      for (const float x : inliers) {
        const double error = static_cast<double>(decode(grid, encode(grid, x))) - x;
        sum += error * error;
      }
      errors[unit * kBitChoices + static_cast<std::size_t>(n_bits)] =
          s.n_inliers > 0 ? static_cast<float>(sum / s.n_inliers) : 0.0f;
    }
  });
}

}  // namespace qaq
