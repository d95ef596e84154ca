#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/quant/plan.h"
#include "core/quant/unit_stats.h"
#include "core/tensor/dtype.h"

namespace qaq {

/// Bytes that a packed cache really takes (packed accounting), by part.
struct PackedBytes {
  std::int64_t payload = 0;          ///< codes, ceil(N * n_bits / 8) a unit
  std::int64_t scales = 0;           ///< scale and base of each unit
  std::int64_t outlier_values = 0;   ///< exact values
  std::int64_t outlier_indices = 0;  ///< list or bitmap, whichever is smaller
  std::int64_t outlier_counts = 0;
  std::int64_t bit_map = 0;    ///< n_bits of each unit, where units may differ
  std::int64_t offsets = 0;    ///< where each unit begins, where units may differ
  std::int64_t positions = 0;  ///< of what is left where tokens are evicted, 4 bytes a row of keys:
                               ///< its value's is the same

  bool operator==(const PackedBytes&) const = default;
  PackedBytes& operator+=(const PackedBytes& other);
  std::int64_t total() const;
};

/// The parts by their names in files and tables.
struct PackedBytesPart {
  const char* name;
  std::int64_t PackedBytes::*bytes;
};
inline constexpr std::array<PackedBytesPart, 8> kPackedBytesParts{{
    {"payload", &PackedBytes::payload},
    {"scales", &PackedBytes::scales},
    {"outlier_values", &PackedBytes::outlier_values},
    {"outlier_indices", &PackedBytes::outlier_indices},
    {"outlier_counts", &PackedBytes::outlier_counts},
    {"bit_map", &PackedBytes::bit_map},
    {"offsets", &PackedBytes::offsets},
    {"positions", &PackedBytes::positions},
}};

inline PackedBytes& PackedBytes::operator+=(const PackedBytes& other) {
  for (const PackedBytesPart& part : kPackedBytesParts) this->*part.bytes += other.*part.bytes;
  return *this;
}
inline std::int64_t PackedBytes::total() const {
  std::int64_t sum = 0;
  for (const PackedBytesPart& part : kPackedBytesParts) sum += this->*part.bytes;
  return sum;
}

/// How a unit's numbers beside its codes are stored.
struct PackedFormat {
  DType dtype = DType::f16;      ///< of an exact value: the capture's
  std::int64_t scale_bytes = 4;  ///< of a scale and of a base
  OutlierIndex outlier_index = OutlierIndex::automatic;

  std::int64_t value_bytes() const { return bytes_of(dtype); }
  DType scale_dtype() const { return scale_bytes == 2 ? DType::f16 : DType::f32; }
};

/// The format that a cache of that type is packed in.
PackedFormat packed_format(const QuantizerSpec& quantizer, DType dtype);

/// What the size of a packed unit depends on.
struct UnitCounts {
  std::int64_t n_values = 0;  ///< N
  int n_bits = 0;
  std::int64_t n_outliers = 0;
};

/// More outliers than their count of 2 bytes tells stand in a bitmap, which tells how many they
/// are.
inline constexpr std::int64_t kUncounted = 0xffff;
/// Whether the unit's outliers are told by a bit for each value instead of a list of places.
bool told_by_bitmap(const PackedFormat& format, const UnitCounts& unit);
/// Bytes of a place in a list: 1, 2 or 4 for N up to 256, 65536 or more.
std::int64_t index_bytes(std::int64_t n_values);
/// Numbers that a unit stores beside its codes: scale and base; with 0 bits one constant, without
/// inliers none.
int n_numbers(const QuantizerSpec& quantizer, const UnitCounts& unit);

/// Bytes of one unit: its dense codes (an outlier's slot holds code 0), its numbers, its outliers'
/// values and their places. What a unit has by the kind of its cache is added by packed_bytes().
PackedBytes unit_bytes(const QuantizerSpec& quantizer, const PackedFormat& format,
                       const UnitCounts& unit);

/// Bytes of one cache under a plan (section 6 of the mathematics): those of its units that are left
/// and, where there may be outliers, their count in 2 bytes a unit; where bits may differ, 1 byte
/// of bits and 4 of offset a unit. An exact cache is its values. These are the sizes of the buffers
/// that Packer fills, without filling them.
PackedBytes packed_bytes(const Plan& plan, std::span<const UnitStats> stats,
                         const PackedFormat& format);

}  // namespace qaq
