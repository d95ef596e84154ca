#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "data/models/ggml_type.h"

namespace qaq {

/// One entry of a GGUF file's tensor table, held against the file's size.
struct GgufTensor {
  std::string name;
  std::uint32_t n_dims = 0;
  /// ggml's order: extent 0 runs fastest, so a matrix is (cols, rows). Unused extents are 1.
  std::array<std::int64_t, 4> extents{1, 1, 1, 1};
  const GgmlType* type = nullptr;
  std::span<const std::byte> bytes;  ///< in the mapped file

  std::int64_t n_elements() const { return extents[0] * extents[1] * extents[2] * extents[3]; }
};

}  // namespace qaq
