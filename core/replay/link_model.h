#pragma once

#include <algorithm>
#include <cstdint>

#include "core/replay/streaming_params.h"

namespace qaq {

/// Bytes of a number in the unquantized copies that a serving system keeps: float16.
inline constexpr std::int64_t kStreamedBytes = 2;

/// What goes over the link in one direction.
struct Transfers {
  std::int64_t count = 0;
  std::int64_t bytes = 0;

  Transfers& operator+=(const Transfers& other) {
    count += other.count;
    bytes += other.bytes;
    return *this;
  }
};

/// A model, not a measurement (section 5 of the mathematics): seconds of count * pcie_latency_us +
/// bytes / pcie_bandwidth.
inline double transfer_seconds(const StreamingParams& link, const Transfers& transfers) {
  return static_cast<double>(transfers.count) * link.pcie_latency_us * 1e-6 +
         static_cast<double>(transfers.bytes) / link.pcie_bandwidth;
}

/// By how much fetching that takes `fetch` seconds makes a step longer than t_compute: what does
/// not hide behind it.
inline double stall_seconds(const StreamingParams& link, double fetch) {
  return fetch - std::min(link.overlap * fetch, link.t_compute);
}

}  // namespace qaq
