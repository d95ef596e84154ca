#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/weight_block.h"

namespace qaq {

/// A tensor as some model file stores it, whatever the format. Its bytes lie in the mapped file.
struct StoredTensor {
  std::string name;                  ///< as the file calls it
  std::string file;                  ///< the file, for messages
  std::string_view type_name;        ///< as the format calls it: "Q4_1", "BF16"
  std::optional<WeightType> type{};  ///< nothing where it cannot be decoded
  std::vector<std::int64_t> shape;   ///< row-major
  std::span<const std::byte> bytes;

  std::int64_t n_elements() const {
    std::int64_t n = 1;
    for (const std::int64_t extent : shape) n *= extent;
    return n;
  }
};

/// The type that holds most numbers, in lower case: "q4_1".
std::string main_type(const std::vector<StoredTensor>& tensors);

}  // namespace qaq
