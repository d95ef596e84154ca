#include "core/quant/packed_bytes.h"

#include <algorithm>
#include <cassert>

namespace qaq {
namespace {

std::int64_t index_bytes(std::int64_t unit_size, std::int64_t n_outliers) {
  const std::int64_t bytes_each = unit_size <= 256 ? 1 : unit_size <= 65536 ? 2 : 4;
  return std::min(n_outliers * bytes_each, (unit_size + 7) / 8);
}

std::int64_t n_scales(const Plan& plan, const UnitStats& stats, int n_bits) {
  if (stats.n_inliers == 0) return 0;
  return n_bits == 0 ? 1 : plan.quantizer.n_extra();
}

}  // namespace

PackedBytes packed_bytes(const Plan& plan, std::span<const UnitStats> stats,
                         const PackedFormat& format) {
  PackedBytes bytes;
  if (plan.keeps_all()) {
    bytes.payload = plan.layout.shape().n_values() * format.value_bytes;
    return bytes;
  }
  assert(stats.size() == plan.n_bits.size());
  const std::int64_t n = plan.layout.unit_size();
  for (std::size_t unit = 0; unit < stats.size(); ++unit) {
    const int n_bits = plan.n_bits[unit];
    const std::int64_t n_outliers = n - stats[unit].n_inliers;
    bytes.payload += (n * n_bits + 7) / 8;
    bytes.scales += n_scales(plan, stats[unit], n_bits) * format.scale_bytes;
    bytes.outlier_values += n_outliers * format.value_bytes;
    bytes.outlier_indices += index_bytes(n, n_outliers);
  }
  const std::int64_t n_units = plan.layout.n_units();
  if (plan.quantizer.outliers_ratio > 0) bytes.outlier_counts = 2 * n_units;
  if (plan.n_bits_vary) {
    bytes.bit_map = n_units;
    bytes.offsets = 4 * n_units;
  }
  return bytes;
}

}  // namespace qaq
