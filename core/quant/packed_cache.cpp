#include "core/quant/packed_cache.h"

namespace qaq {

PackedBytes PackedCache::bytes() const {
  const auto size = [&](PackedPart p) { return static_cast<std::int64_t>(part(p).size()); };
  return {.payload = size(PackedPart::payload),
          .scales = size(PackedPart::scales),
          .outlier_values = size(PackedPart::outlier_values),
          .outlier_indices = size(PackedPart::outlier_indices),
          .outlier_counts = size(PackedPart::outlier_counts),
          .bit_map = size(PackedPart::bit_map),
          .offsets = size(PackedPart::offsets)};
}

}  // namespace qaq
