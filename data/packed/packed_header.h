#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/quant/packed_cache.h"

namespace qaq {

/// Keys and values of one capture as packed bytes, with what they came from.
struct PackedCaches {
  PackedCache key;
  PackedCache value;
};

/// What the header of a .qkv file says of the caches: shape, dtype, how each is quantized, names
/// and bytes of their components.
nlohmann::ordered_json packed_header_json(const PackedCaches& caches);

/// The caches that a header describes, each component with its size in `sizes` and still empty.
/// Throws Error{input} naming the JSON path in `file` where something is missing, has another type
/// or a value out of range.
struct DescribedCache {
  PackedCache cache;
  std::array<std::uint64_t, kPackedParts> sizes{};
};
struct DescribedCaches {
  DescribedCache key;
  DescribedCache value;
};
DescribedCaches described_caches(const nlohmann::ordered_json& header, const std::string& file);

}  // namespace qaq
