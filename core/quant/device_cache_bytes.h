#pragma once

#include <cstdint>

namespace qaq {

/// Bytes of a quantized cache on a GPU, in use and not. Unlike PackedBytes, a property of the plan,
/// these are of the places that things take.
struct DeviceCacheBytes {
  std::int64_t codes = 0;     ///< of pages, empty slots and padding too
  std::int64_t scales = 0;    ///< scale and base of every slot of those pages
  std::int64_t outliers = 0;  ///< channels and values
  std::int64_t maps = 0;      ///< where everything is
  std::int64_t unused = 0;    ///< places and room that no page and no outlier takes
  std::int64_t workspace = 0;

  bool operator==(const DeviceCacheBytes&) const = default;
  std::int64_t total() const { return codes + scales + outliers + maps + unused + workspace; }
};

}  // namespace qaq
