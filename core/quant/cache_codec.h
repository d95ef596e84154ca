#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/quant/group_codec.h"
#include "core/quant/packed_bytes.h"
#include "core/quant/unit_layout.h"
#include "core/quant/unit_values.h"
#include "core/tensor/nd_array.h"
#include "core/tensor/weight_block.h"

namespace qaq {

/// A format of a whole cache that is not made of units with bits of their own. Of one cache, keys
/// or values; knows its shape, holds none of its values.
class CacheCodec {
 public:
  virtual ~CacheCodec() = default;
  /// The tokens of one layer (its place in the cache) as they are read back: of `input`
  /// (n_kv_heads, at least n_tokens, D) to `out`, another place of that shape. Tokens that are left
  /// exact come out as they went in. `outliers` (n_kv_heads, at least n_tokens, ceil(D/8)) is all 0
  /// and gets a 1 for every value of other tokens that is kept exactly, MSB first; empty: not asked
  /// for. In parallel.
  virtual void quantize(std::int64_t layer, const CacheLayer& input, const NdView<float, 3>& out,
                        const NdView<std::uint8_t, 3>& outliers) const = 0;
  /// Bits of each of a row's codes; nothing: the row is left exact.
  virtual std::optional<int> n_bits(std::int64_t layer, std::int64_t kv_head,
                                    std::int64_t token) const = 0;
  /// Values that are kept exactly in the whole cache, tokens that are left exact apart.
  virtual std::int64_t n_outliers() const { return 0; }
  /// What else decides how a row that is quantized is read back: nothing, the other rows of its
  /// group, all of which are quantized, or rows that may still come.
  enum class RowsDependOn { themselves, whole_groups, later_rows };
  virtual RowsDependOn rows_depend_on() const { return RowsDependOn::later_rows; }
  /// Of the whole cache; exact numbers are of that type.
  virtual PackedBytes bytes(DType exact) const = 0;
};

/// Groups of the first n_quantized tokens, which begin at token 0; the others are left exact.
std::shared_ptr<const CacheCodec> group_cache_codec(const GroupSpec& spec, const CacheShape& shape,
                                                    std::int64_t n_quantized);
/// ggml's blocks, q8_0 or q4_0. `rotate`: rows are turned by the Hadamard matrix before they are
/// quantized, and back. Throws as require_blocks() and require_hadamard().
std::shared_ptr<const CacheCodec> block_cache_codec(WeightType type, const CacheShape& shape,
                                                    bool rotate);

}  // namespace qaq
