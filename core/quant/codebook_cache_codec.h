#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/quant/cache_codec.h"
#include "core/quant/codebook_codec.h"

namespace qaq {

/// What the codebooks of keys or values of all layers were calibrated with.
struct CacheCodebooks {
  std::vector<Codebook> layers;
  std::vector<double> rope;  ///< keys are turned back by it before they are quantized, and forward
                             ///< again (turn_rows.h); empty: they are taken as they are
};

/// Codebooks of the first n_tokens tokens of each layer (n_kv_heads, at least n_tokens, D), turned
/// back by `rope` first. In parallel within a layer.
CacheCodebooks calibrate_codebooks(const CodebookSpec& spec, std::span<const CacheLayer> layers,
                                   std::int64_t n_tokens, std::span<const double> rope);

/// A cache in codebooks. `layers` are its exact values, whose outliers are counted here, once.
std::shared_ptr<const CacheCodec> codebook_cache_codec(const CodebookSpec& spec,
                                                       const CacheShape& shape,
                                                       std::shared_ptr<const CacheCodebooks> books,
                                                       std::span<const CacheLayer> layers);

}  // namespace qaq
