#pragma once

#include <cstdint>
#include <span>

#include "core/quant/plan.h"
#include "core/quant/unit_stats.h"

namespace qaq {

/// Bytes that a packed cache really takes (packed accounting), by part.
struct PackedBytes {
  std::int64_t payload = 0;          ///< codes, ceil(N * n_bits / 8) a unit
  std::int64_t scales = 0;           ///< scale and base of each unit
  std::int64_t outlier_values = 0;   ///< exact values
  std::int64_t outlier_indices = 0;  ///< list or bitmap, whichever is smaller
  std::int64_t outlier_counts = 0;
  std::int64_t bit_map = 0;  ///< n_bits of each unit, where units may differ
  std::int64_t offsets = 0;  ///< where each unit begins, where units may differ

  std::int64_t total() const {
    return payload + scales + outlier_values + outlier_indices + outlier_counts + bit_map + offsets;
  }
};

/// How numbers beside the codes are stored.
struct PackedFormat {
  std::int64_t value_bytes = 2;  ///< of an exact value: 2, or 4 where the capture is float32
  std::int64_t scale_bytes = 4;  ///< of a scale and of a base
};

/// Bytes of one cache under a plan: a unit has its dense codes (an outlier's slot holds code 0),
/// its scale and base (with 0 bits one constant, without inliers none), its outliers' values, their
/// indices of 1, 2 or 4 bytes or a bitmap, and, where there may be outliers, their count in 2
/// bytes; where bits may differ, 1 byte of bits and 4 of offset. An exact cache is its values.
PackedBytes packed_bytes(const Plan& plan, std::span<const UnitStats> stats,
                         const PackedFormat& format);

}  // namespace qaq
