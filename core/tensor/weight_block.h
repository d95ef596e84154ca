#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/tensor/nd_array.h"

namespace qaq {

/// How the numbers of a weight matrix are stored (ggml's names). A row is a whole number of blocks.
///
///   f32, f16, bf16  one number a block
///   q8_0   34 bytes, 32 numbers: f16 d, 32 int8 codes q; x = d q
///   q4_0   18 bytes, 32 numbers: f16 d, 16 bytes of codes; x = d (q - 8)
///   q4_1   20 bytes, 32 numbers: f16 d, f16 m, 16 bytes of codes; x = d q + m
///
/// In the 4-bit types byte i holds number i in its low and number i + 16 in its high half.
enum class WeightType {
  f32,
  f16,
  bf16,
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  iq4_xs,
};

struct WeightTypeInfo {
  WeightType type;
  std::string_view name;
  std::int64_t block_elements;
  std::int64_t block_bytes;
};

const WeightTypeInfo& weight_type_info(WeightType type);

/// Bytes of a row of `n` numbers. `n` is a multiple of the block.
std::int64_t row_bytes(WeightType type, std::int64_t n);

/// Decodes one row exactly into float32: float products as written above, nothing fused.
/// `bytes` holds row_bytes(type, out.size()) bytes at any alignment.
void decode_row(WeightType type, std::span<const std::byte> bytes, std::span<float> out);

/// A weight as stored: `rows` rows of `cols` numbers, row-major; a norm is one row.
/// The bytes belong to the ModelSource.
struct WeightView {
  std::string name;  ///< as the file calls it, for messages
  WeightType type = WeightType::f32;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::span<const std::byte> bytes;
};

/// Throws Error{input} with the weight's name as its place where a number is NaN or infinite; its
/// file is left empty. On several threads.
void require_finite(const WeightView& weight);

/// Decodes all rows of `weight` into `out` (rows, cols), on several threads. Throws Error{input}
/// with the weight's name as its place where a number is NaN or infinite; its file is left empty.
void decode_matrix(const WeightView& weight, NdView<float, 2> out);

}  // namespace qaq
