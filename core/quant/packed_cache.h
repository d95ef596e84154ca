#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/quant/packed_bytes.h"
#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_layout.h"

namespace qaq {

/// The buffers of a packed cache. Each is of all units, in the order of UnitLayout.
enum class PackedPart {
  payload,          ///< codes, n_bits each, least significant bit first; a unit begins a byte
  scales,           ///< of each unit its numbers (StoredNumbers), float32 or float16
  outlier_values,   ///< exact values in the order of their places, in the capture's type
  outlier_indices,  ///< of each unit its list of places, ascending, or its bitmap (bit i mod 8)
  outlier_counts,   ///< 2 bytes a unit; kUncounted: as many as the bitmap has ones
  bit_map,          ///< n_bits of each unit in a byte
  offsets           ///< where each unit's codes begin in the payload, 4 bytes
};
inline constexpr std::array<std::string_view, 7> kPackedPartNames{
    "payload",        "scales",  "outlier_values", "outlier_indices",
    "outlier_counts", "bit_map", "offsets"};
inline constexpr std::size_t kPackedParts = kPackedPartNames.size();

/// One cache as packed bytes and what is needed to read them. All numbers are little-endian. Parts
/// that a cache does not need are empty: outlier_* where units have none
/// (QuantizerSpec::may_have_outliers()); bit_map and offsets where all units have n_bits; all but
/// the payload of an exact cache, whose values lie there in the capture's type, by token, layer, KV
/// head and channel.
struct PackedCache {
  QuantizerSpec quantizer;
  CacheShape shape;
  PackedFormat format;
  bool n_bits_vary = false;
  int n_bits = 0;  ///< of every unit, where they do not vary
  std::array<std::vector<std::uint8_t>, kPackedParts> parts;

  std::vector<std::uint8_t>& part(PackedPart p) { return parts[static_cast<std::size_t>(p)]; }
  const std::vector<std::uint8_t>& part(PackedPart p) const {
    return parts[static_cast<std::size_t>(p)];
  }
  UnitLayout layout() const { return {quantizer.level, shape}; }
  bool keeps_all() const { return quantizer.level == Level::no_quantization; }
  /// Sizes of the buffers.
  PackedBytes bytes() const;
};

/// Where a unit's bytes begin in each part that units share without equal strides.
struct UnitPlace {
  std::int64_t payload = 0;
  std::int64_t scales = 0;
  std::int64_t outlier_values = 0;
  std::int64_t outlier_indices = 0;

  /// The place of the unit behind one that takes `bytes`.
  UnitPlace behind(const PackedBytes& bytes) const {
    return {payload + bytes.payload, scales + bytes.scales, outlier_values + bytes.outlier_values,
            outlier_indices + bytes.outlier_indices};
  }
};

}  // namespace qaq
