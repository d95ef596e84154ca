#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/quant/packed_bytes.h"
#include "core/quant/unit_values.h"
#include "core/tensor/nd_array.h"
#include "core/tensor/weight_block.h"

namespace qaq {

/// Caches as ggml stores them, in blocks of 32 consecutive channels of a token (types q8_0 and q4_0
/// of weight_block.h, which reads them back; byte for byte what gguf 0.19 writes). Section 8 of the
/// mathematics. Codes come from x (1/d), both float32; d is stored as float16.
///
///   q8_0  d = max|x| / 127; code = round_half_away(x / d); 34 bytes, 8.5 bits a value
///   q4_0  d = m / -8, m the first x of largest |x|; code = min(15, trunc(x / d + 8.5)); 18 bytes,
///         4.5 bits a value
///
/// A block of zeros has d = 0. What float16 cannot hold becomes its largest number.

/// Throws Error{usage} where rows of head_dim channels are no whole blocks; `type` is q8_0 or q4_0.
void require_blocks(WeightType type, std::int64_t head_dim);

/// The blocks of one row: row_bytes(type, row.size()) bytes. Numbers are finite.
void encode_blocks(WeightType type, std::span<const float> row, std::span<std::byte> blocks);

/// Quantizes the tokens of `tokens` of one layer (n_kv_heads, T, D) and gives them back as they are
/// read again; other tokens are left alone. `out` has the input's shape and may be it. Throws as
/// require_blocks(). In parallel over heads and tokens.
void quantize_blocks(WeightType type, const CacheLayer& input, TokenSpan tokens,
                     const NdView<float, 3>& out);

/// Bytes of a cache of that shape: codes in the payload, each block's d in the scales.
PackedBytes block_bytes(WeightType type, const CacheShape& shape);

}  // namespace qaq
