#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/analysis/table.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// What a packed cache consists of, in the order in which it is shown: the members of PackedBytes.
enum class MemoryPart {
  payload,
  scales,
  outlier_values,
  outlier_indices,
  outlier_counts,
  bit_map,
  offsets,
  positions
};
inline constexpr int kMemoryParts = 8;
template <>
struct ChoiceNames<MemoryPart> {
  static constexpr std::array<std::string_view, kMemoryParts> names{
      "payload",        "scales",  "outlier_values", "outlier_indices",
      "outlier_counts", "bit_map", "offsets",        "positions"};
};

/// Which of the two byte counts: the paper's, which knows payload, scales and outlier values alone,
/// or what the packed bytes really take. A format of a rival counts as its bytes.
enum class Accounting { nominal, packed };
template <>
struct ChoiceNames<Accounting> {
  static constexpr std::array<std::string_view, 2> names{"nominal", "packed"};
};

/// Bytes of one cache, or of both.
struct CacheMemory {
  std::array<std::int64_t, kMemoryParts> packed{};
  /// Average bits of the prefix, over 8: no whole numbers. A number counts dtype_bits.
  std::array<double, kMemoryParts> nominal{};
  std::int64_t exact = 0;    ///< of the same numbers at 2 bytes each, which ratios are against
  double ratio_packed = 0;   ///< as in ReplayResult
  double ratio_nominal = 0;  ///< as in ReplayResult: of 16 bits a number, whatever dtype_bits

  double part(Accounting accounting, MemoryPart part) const;
  double total(Accounting accounting) const;
};

struct MemoryReport {
  CacheMemory key{}, value{}, both{};
};
/// Of the prefix that was quantized. A stored run will do as well as a fresh one.
MemoryReport memory_report(const ReplayResult& result);

/// A row each cache and part, and a row "total" each cache: bytes and shares, packed and nominal.
Table memory_table(const MemoryReport& report);

}  // namespace qaq
