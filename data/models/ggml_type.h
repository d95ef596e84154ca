#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/tensor/weight_block.h"

namespace qaq {

/// A number type of ggml tensors: a row is stored as blocks of `block_elements` numbers.
struct GgmlType {
  std::uint32_t number;   ///< as in the file
  std::string_view name;  ///< ggml's, "Q4_1"
  std::int64_t block_elements;
  std::int64_t block_bytes;
  std::optional<WeightType> weight_type{};  ///< how it is decoded; nothing where we cannot run it
};

/// The type of that number, or null. Types that ggml has removed are not there.
/// To read one more: give WeightType a value and decode_row a case, and name it in the table.
const GgmlType* find_ggml_type(std::uint32_t number);

}  // namespace qaq
