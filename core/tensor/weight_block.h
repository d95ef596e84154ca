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
///
/// Blocks of 32 numbers, with codes q:
///
///   q8_0    34 bytes: f16 d, 32 int8 codes; x = d q
///   q4_0    18 bytes: f16 d, 16 bytes of codes; x = d (q - 8)
///   q4_1    20 bytes: f16 d, f16 m, 16 bytes of codes; x = d q + m
///   q5_0    22 bytes: f16 d, u32 h, 16 bytes of codes; x = d (q - 16)
///   q5_1    24 bytes: f16 d, f16 m, u32 h, 16 bytes of codes; x = d q + m
///   iq4_nl  18 bytes: f16 d, 16 bytes of codes; x = d v[q], v = kIq4Values (block_decoders.h)
///
/// Byte i holds number i in its low and number i + 16 in its high half; bit i of h is the fifth bit
/// of number i.
///
/// Blocks of 256 numbers, with a scale s for each 16 (q3_k, q6_k) or 32 (the others):
///
///   q3_k    110 bytes: 32 bytes of third bits h, 64 bytes of 2-bit codes, 12 bytes of 6-bit s,
///           f16 d; x = (d (s - 32)) (q - 4), q = code + 4 h
///   q4_k    144 bytes: f16 d, f16 e, 12 bytes of 6-bit s and minima m, 128 bytes of codes;
///           x = (d s) q - (e m)
///   q5_k    176 bytes: f16 d, f16 e, 12 bytes of s and m, 32 bytes of fifth bits, 128 bytes of
///           codes; x = (d s) q - (e m)
///   q6_k    210 bytes: 128 bytes of 4-bit codes, 64 bytes of upper two bits, 16 int8 s, f16 d;
///           x = (d s) (q - 32)
///   iq4_xs  136 bytes: f16 d, u16 upper bits of s, 4 bytes of their low bits, 128 bytes of codes;
///           x = (d (s - 32)) v[q]
///
/// How the bits of a block of 256 are dealt out is in block_decoders.cpp. Source: ggml-common.h.
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
