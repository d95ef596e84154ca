#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/quant/packed_bytes.h"
#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_values.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// What a group of values with one scale runs along: consecutive channels of one token, or
/// consecutive tokens of one channel.
enum class GroupAxis { token, channel };
template <>
struct ChoiceNames<GroupAxis> {
  static constexpr std::array<std::string_view, 2> names{"token", "channel"};
};

/// Groups between their smallest and their largest value, as KIVI (arXiv 2402.02750) has them:
/// scale = (max - min) / (2^b - 1), code = round_half_even((x - min) / scale) within 0 .. 2^b - 1,
/// x' = code * scale + min, in float32. A group without spread is its minimum. Section 8 of the
/// mathematics, uniform and kivi.
struct GroupSpec {
  int n_bits = 4;  ///< b, 1 to 8
  GroupAxis axis = GroupAxis::token;
  std::int64_t group_size = 0;  ///< values of a group; 0: the whole row. A short last one stands
                                ///< alone
  StoreScale store_scale = StoreScale::f16;  ///< scale and minimum are rounded to it before the
                                             ///< codes
};

/// What quantizing groups gives.
struct GroupedLayer {
  NdView<float, 3> values;  ///< (n_kv_heads, T, D): what the codes stand for; may be where
                            ///< the input lies
  NdView<std::uint8_t, 3> codes = {};  ///< (n_kv_heads, T, D); may be empty: not asked for
};

/// Quantizes the tokens of `tokens` of one layer (n_kv_heads, T, D) by groups, and gives them back
/// as they are read again; other tokens are left alone. Groups along tokens begin at the first of
/// them, and with group_size 0 hold all of them. Numbers are finite. In parallel over heads and
/// groups of rows.
void quantize_groups(const GroupSpec& spec, const CacheLayer& input, TokenSpan tokens,
                     const GroupedLayer& out);

/// Bytes of one layer of `shape` whose first n_quantized tokens are quantized by groups: a group's
/// codes fill whole bytes, ceil(N b / 8), its scale and minimum are stored as store_scale says, and
/// values of the other tokens (kivi's residual) stand as `exact` in the payload.
PackedBytes group_bytes(const GroupSpec& spec, const CacheShape& shape, std::int64_t n_quantized,
                        DType exact = DType::f16);

}  // namespace qaq
