#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/models/stored_tensor.h"

namespace qaq {

/// What a safetensors file says, pointing into its bytes.
struct SafetensorsContents {
  std::vector<std::pair<std::string, std::string>> metadata;  ///< __metadata__
  std::vector<StoredTensor> tensors;                          ///< in the header's order
};

/// Parses a whole safetensors file. The layout:
///
///   u64 length of the header, at most 100 MB
///   the header: a JSON object; spaces may follow it
///     "__metadata__": strings to strings, may be absent
///     tensor name: {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]}
///   the data, from where the offsets count: row-major, little-endian, every byte in one tensor
///
/// Throws Error{input} naming the tensor or the place in the header: no holes, no overlaps, nothing
/// beyond the end, no key twice. Source: github.com/huggingface/safetensors, README.
SafetensorsContents parse_safetensors(std::span<const std::byte> bytes, const std::string& file);

}  // namespace qaq
