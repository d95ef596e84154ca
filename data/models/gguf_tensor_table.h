#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/models/byte_cursor.h"
#include "data/models/gguf_tensor.h"

namespace qaq {

/// Reads the `n_tensors` entries that follow at the cursor, and holds their data against the file:
/// offsets aligned, nothing beyond the end, nothing on the same bytes. Throws Error{input} naming
/// the tensor.
std::vector<GgufTensor> read_tensor_table(ByteCursor& cursor, std::uint64_t n_tensors,
                                          std::uint64_t alignment, std::span<const std::byte> file);

}  // namespace qaq
