#pragma once

#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_layout.h"
#include "core/tensor/nd_array.h"

namespace qaq {

class CacheCodec;

/// What a policy decided for one cache, and what a codec carries out.
struct Plan {
  QuantizerSpec quantizer;
  UnitLayout layout;
  std::vector<std::uint8_t> n_bits;  ///< (layout.n_units()), each 0..16; empty at no-quantization
  bool n_bits_vary = false;          ///< units may differ, so that a reader needs a bit map
  /// Share of outliers where the rule alone does not say it: what the statistics count (nsigma).
  std::optional<double> outlier_share{};
  std::int64_t n_bound_unmet = 0;  ///< units whose error budget no number of bits keeps
  /// A rival's format (cache_codec.h) in place of units: quantizer and n_bits mean nothing. Null:
  /// none.
  std::shared_ptr<const CacheCodec> codec{};

  /// (n_layers, n_kv_heads, n_tokens): 0 where a KV head has dropped the token, key and value, from
  /// its softmax. Units of such a cache are of one KV head each. Null: nothing is evicted.
  SharedArray<std::uint8_t, 3> kept{};

  /// No value is changed; some may be evicted.
  bool keeps_all() const { return !codec && quantizer.level == Level::no_quantization; }
  bool is_kept(std::int64_t layer, std::int64_t kv_head, std::int64_t token) const {
    return !kept || (*kept)(layer, kv_head, token) != 0;
  }
  /// Of a unit of one KV head.
  bool keeps_unit(std::size_t unit) const {
    if (!kept) return true;
    const auto of_token = static_cast<std::size_t>(layout.units_per_token());
    const auto n_tokens = static_cast<std::size_t>(layout.shape().n_tokens);
    return kept->data()[unit % of_token * n_tokens + unit / of_token] != 0;
  }
  /// Rows of head_dim values that are left.
  std::int64_t n_rows() const {
    const CacheShape& shape = layout.shape();
    if (!kept) return shape.n_layers * shape.n_kv_heads * shape.n_tokens;
    return std::accumulate(kept->span().begin(), kept->span().end(), std::int64_t{0});
  }

  /// Mean of n_bits over units that are left; 0: there are none.
  double mean_bits() const {
    double sum = 0;
    std::int64_t n = 0;
    for (std::size_t unit = 0; unit < n_bits.size(); ++unit) {
      if (!keeps_unit(unit)) continue;
      sum += n_bits[unit];
      ++n;
    }
    return n == 0 ? 0 : sum / static_cast<double>(n);
  }
};

}  // namespace qaq
