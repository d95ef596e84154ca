#include "core/quant/packed_bytes.h"

#include <cassert>

#include "core/quant/cache_codec.h"

namespace qaq {
namespace {

std::int64_t bitmap_bytes(std::int64_t n_values) { return (n_values + 7) / 8; }

}  // namespace

PackedFormat packed_format(const QuantizerSpec& quantizer, DType dtype) {
  return {.dtype = dtype,
          .scale_bytes = quantizer.store_scale == StoreScale::f16 ? 2 : 4,
          .outlier_index = quantizer.outlier_index};
}

std::int64_t index_bytes(std::int64_t n_values) {
  return n_values <= 256 ? 1 : n_values <= 65536 ? 2 : 4;
}

bool told_by_bitmap(const PackedFormat& format, const UnitCounts& unit) {
  if (unit.n_outliers == 0) return false;
  if (unit.n_outliers >= kUncounted) return true;
  if (format.outlier_index != OutlierIndex::automatic) {
    return format.outlier_index == OutlierIndex::bitmap;
  }
  return bitmap_bytes(unit.n_values) < unit.n_outliers * index_bytes(unit.n_values);
}

int n_numbers(const QuantizerSpec& quantizer, const UnitCounts& unit) {
  if (unit.n_outliers == unit.n_values) return 0;
  return unit.n_bits == 0 ? 1 : quantizer.n_extra();
}

PackedBytes unit_bytes(const QuantizerSpec& quantizer, const PackedFormat& format,
                       const UnitCounts& unit) {
  PackedBytes bytes;
  bytes.payload = (unit.n_values * unit.n_bits + 7) / 8;
  bytes.scales = n_numbers(quantizer, unit) * format.scale_bytes;
  bytes.outlier_values = unit.n_outliers * format.value_bytes();
  bytes.outlier_indices = told_by_bitmap(format, unit)
                              ? bitmap_bytes(unit.n_values)
                              : unit.n_outliers * index_bytes(unit.n_values);
  return bytes;
}

PackedBytes packed_bytes(const Plan& plan, std::span<const UnitStats> stats,
                         const PackedFormat& format) {
  if (plan.codec) return plan.codec->bytes(format.dtype);
  PackedBytes bytes;
  if (plan.keeps_all()) {
    bytes.payload = plan.n_rows() * plan.layout.shape().head_dim * format.value_bytes();
    return bytes;
  }
  assert(stats.size() == plan.n_bits.size());
  const std::int64_t n = plan.layout.unit_size();
  for (std::size_t unit = 0; unit < stats.size(); ++unit) {
    if (!plan.keeps_unit(unit)) continue;
    bytes += unit_bytes(plan.quantizer, format, {n, plan.n_bits[unit], n - stats[unit].n_inliers});
  }
  const std::int64_t n_units = plan.kept ? plan.n_rows() : plan.layout.n_units();
  if (plan.quantizer.may_have_outliers()) bytes.outlier_counts = 2 * n_units;
  if (plan.n_bits_vary) {
    bytes.bit_map = n_units;
    bytes.offsets = 4 * n_units;
  }
  return bytes;
}

}  // namespace qaq
