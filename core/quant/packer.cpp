#include "core/quant/packer.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/quant/bit_stream.h"
#include "core/quant/little_endian.h"
#include "core/quant/unit_codec.h"

namespace qaq {
namespace {

void check_offsets_reach(const Plan& plan, const PackedBytes& bytes) {
  if (!plan.n_bits_vary || bytes.payload <= std::numeric_limits<std::uint32_t>::max()) return;
  refuse_usage({.place = "packed payload",
                .what = cat(byte_text(bytes.payload),
                            " of codes are more than offsets of 4 bytes "
                            "reach"),
                .cure = "pack fewer tokens (--prefix)"});
}

}  // namespace

Packer::Packer(const Plan& plan, std::span<const UnitStats> stats, const PackedFormat& format)
    : plan_(plan), stats_(stats) {
  assert(stats.size() == plan.n_bits.size());
  packed_.quantizer = plan.quantizer;
  packed_.shape = plan.layout.shape();
  packed_.format = format;
  packed_.n_bits_vary = plan.n_bits_vary;
  if (!plan.n_bits_vary && !plan.n_bits.empty()) packed_.n_bits = plan.n_bits.front();
  const PackedBytes bytes = packed_bytes(plan, stats, format);
  check_offsets_reach(plan, bytes);
  const auto give = [&](PackedPart part, std::int64_t n) {
    packed_.part(part).resize(static_cast<std::size_t>(n));
  };
  give(PackedPart::payload, bytes.payload);
  give(PackedPart::scales, bytes.scales);
  give(PackedPart::outlier_values, bytes.outlier_values);
  give(PackedPart::outlier_indices, bytes.outlier_indices);
  give(PackedPart::outlier_counts, bytes.outlier_counts);
  give(PackedPart::bit_map, bytes.bit_map);
  give(PackedPart::offsets, bytes.offsets);
  if (!plan.keeps_all()) lay_out();
}

UnitCounts Packer::counts(std::size_t unit) const {
  const std::int64_t n = plan_.layout.unit_size();
  return {n, plan_.n_bits[unit], n - stats_[unit].n_inliers};
}

void Packer::lay_out() {
  places_.reserve(stats_.size());
  n_kept_.assign(stats_.size(), 0);
  UnitPlace at;
  for (std::size_t unit = 0; unit < stats_.size(); ++unit) {
    assert(plan_.n_bits_vary || plan_.n_bits[unit] == packed_.n_bits);
    places_.push_back(at);
    lay_out_unit(unit, at);
    at = at.behind(unit_bytes(plan_.quantizer, packed_.format, counts(unit)));
  }
}

void Packer::lay_out_unit(std::size_t unit, const UnitPlace& at) {
  const UnitCounts own = counts(unit);
  const StoredNumbers numbers = stored_numbers(plan_.quantizer, stats_[unit], own.n_bits);
  std::uint8_t* scales = packed_.part(PackedPart::scales).data() + at.scales;
  for (int i = 0; i < n_numbers(plan_.quantizer, own); ++i) {
    store_number(scales + i * packed_.format.scale_bytes, numbers[static_cast<std::size_t>(i)],
                 packed_.format.scale_dtype());
  }
  if (plan_.quantizer.may_have_outliers()) {
    store_integer(packed_.part(PackedPart::outlier_counts).data() + 2 * unit,
                  static_cast<std::uint32_t>(std::min(own.n_outliers, kUncounted)), 2);
  }
  if (!plan_.n_bits_vary) return;
  packed_.part(PackedPart::bit_map)[unit] = plan_.n_bits[unit];
  store_integer(packed_.part(PackedPart::offsets).data() + 4 * unit,
                static_cast<std::uint32_t>(at.payload), 4);
}

void Packer::add_layer(std::int64_t layer, const CacheLayer& input) {
  const CacheShape& shape = packed_.shape;
  const std::int64_t value_bytes = packed_.format.value_bytes();
  const auto pack_token = [&](std::int64_t token) {
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      const auto unit = static_cast<std::size_t>(plan_.layout.unit(layer, head, token));
      const auto row = input.sub(head, token).span();
      if (!plan_.keeps_all()) {
        pack_row(unit, plan_.layout.first_in_unit(layer, head), row);
        continue;
      }
      std::uint8_t* to = packed_.part(PackedPart::payload).data() +
                         static_cast<std::int64_t>(unit) * shape.head_dim * value_bytes;
      for (const float x : row) {
        store_number(to, x, packed_.format.dtype);
        to += value_bytes;
      }
    }
  };
  constexpr std::int64_t kBlock = 64;
  parallel_for((shape.n_tokens + kBlock - 1) / kBlock, [&](std::int64_t i) {
    const std::int64_t end = std::min(shape.n_tokens, (i + 1) * kBlock);
    for (std::int64_t token = i * kBlock; token < end; ++token) pack_token(token);
  });
}

void Packer::pack_row(std::size_t unit, std::int64_t first, std::span<const float> row) {
  const UnitStats stats = stats_[unit].behind(first);
  const int n_bits = plan_.n_bits[unit];
  if (n_bits > 0) {
    const UnitEncoder encoder(plan_.quantizer, stats, n_bits);
    BitWriter codes(packed_.part(PackedPart::payload).data() + places_[unit].payload,
                    first * n_bits);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool exact = stats.is_outlier(row[i], static_cast<std::int64_t>(i));
      codes.put(exact ? 0 : encoder.code(row[i]), n_bits);
    }
    codes.finish();
  }
  if (stats.n_inliers < plan_.layout.unit_size()) keep_outliers(unit, first, row);
}

void Packer::keep_outliers(std::size_t unit, std::int64_t first, std::span<const float> row) {
  const UnitCounts own = counts(unit);
  const bool bitmap = told_by_bitmap(packed_.format, own);
  const std::int64_t place_bytes = index_bytes(own.n_values);
  const std::int64_t value_bytes = packed_.format.value_bytes();
  std::uint8_t* values =
      packed_.part(PackedPart::outlier_values).data() + places_[unit].outlier_values;
  std::uint8_t* indices =
      packed_.part(PackedPart::outlier_indices).data() + places_[unit].outlier_indices;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto place = static_cast<std::uint32_t>(first) + static_cast<std::uint32_t>(i);
    if (!stats_[unit].is_outlier(row[i], place)) continue;
    const std::int64_t k = n_kept_[unit]++;
    assert(k < own.n_outliers);
    store_number(values + k * value_bytes, row[i], packed_.format.dtype);
    if (bitmap) {
      indices[place / 8] = static_cast<std::uint8_t>(indices[place / 8] | 1u << (place % 8));
    } else {
      store_integer(indices + k * place_bytes, place, place_bytes);
    }
  }
}

PackedCache Packer::finish() {
  for (std::size_t unit = 0; unit < n_kept_.size(); ++unit) {
    assert(n_kept_[unit] == counts(unit).n_outliers);
  }
  return std::move(packed_);
}

}  // namespace qaq
