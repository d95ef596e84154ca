#pragma once

#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_layout.h"

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

  bool keeps_all() const { return !codec && quantizer.level == Level::no_quantization; }

  /// Mean of n_bits over units; 0: there are none.
  double mean_bits() const {
    if (n_bits.empty()) return 0;
    return std::accumulate(n_bits.begin(), n_bits.end(), 0.0) / static_cast<double>(n_bits.size());
  }
};

}  // namespace qaq
