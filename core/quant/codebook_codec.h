#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/quant/group_codec.h"
#include "core/quant/packed_bytes.h"
#include "core/quant/unit_values.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// KVQuant (arXiv 2401.18079): a value is normalised to z = (x - (hi + lo)/2) / ((hi - lo)/2) and
/// becomes the nearest of 2^b centroids (the lower of two as near); what lies at the ends is kept
/// exactly. Section 8 of the mathematics, kvquant.
///
///   axis channel (keys, before RoPE)  lo and hi of each channel come from a calibration; kept are
///                                     x < lo and x > hi
///   axis token (values)               kept are x <= and x >= the token's own percentiles over all
///                                     KV heads; lo and hi are the ends of its other values
struct CodebookSpec {
  int n_bits = 4;  ///< b, 1 to 8
  GroupAxis axis = GroupAxis::channel;
  double sparsity_threshold = 0.99;  ///< share of values between the percentiles; 1: none is kept
  bool nuq = true;                   ///< false: equal steps from lo to hi instead of centroids
  std::int64_t first_few_fp16 = 0;   ///< tokens that are kept exactly, and not clustered
  bool norm = false;  ///< Q-Norm: centroids get back mean and deviation of the values
};

/// What a calibration finds for keys or values of one layer.
struct Codebook {
  std::vector<float> lower, upper;  ///< (n_kv_heads * D) of axis channel, else empty
  std::vector<float> centroids;     ///< (2^b), ascending; empty without nuq
  float norm_scale = 1;             ///< of a centroid, with norm
  float norm_offset = 0;
};

/// The percentiles (1 - thr)/2 and 1 - (1 - thr)/2 of some finite values, interpolated linearly.
struct PercentileEnds {
  float lower = 0;
  float upper = 0;
};
PercentileEnds percentile_ends(std::span<const float> values, double sparsity_threshold);

/// The codebook of the first n_tokens tokens (at least 1) of a layer (n_kv_heads, T, D): thresholds
/// of all of them, k-means (kmeans.h) on what lies between. In parallel over channels or tokens.
Codebook calibrate_codebook(const CodebookSpec& spec, const CacheLayer& input,
                            std::int64_t n_tokens);

/// What quantizing by a codebook gives.
struct CodebookLayer {
  NdView<float, 3> values;             ///< (n_kv_heads, T, D); may be where the input lies
  NdView<std::uint8_t, 3> outliers{};  ///< (n_kv_heads, T, ceil(D/8)), MSB first, 1: kept exactly
                                       ///< (the first few tokens, too); may be empty
};

/// Quantizes the tokens of `tokens` of one layer (n_kv_heads, T, D) and gives them back as they are
/// read again; other tokens are left alone. A channel or token without spread is its one value.
/// Returns how many values are kept as outliers, those of the first few tokens apart. In parallel
/// over tokens.
std::int64_t quantize_by_codebook(const CodebookSpec& spec, const Codebook& book,
                                  const CacheLayer& input, TokenSpan tokens,
                                  const CodebookLayer& out);

/// Bytes of a cache of that shape with n_outliers of them: dense codes of a token's row over all KV
/// heads, a list of outliers a row and its count, and of axis token 4 bytes a row of lo and hi. The
/// first few tokens stand as `exact` in the payload. What the calibration found is apart: it does
/// not grow with the tokens.
PackedBytes codebook_bytes(const CodebookSpec& spec, const CacheShape& shape,
                           std::int64_t n_outliers, DType exact = DType::f16);
/// Bytes of a layer's calibration, as float32.
std::int64_t codebook_table_bytes(const CodebookSpec& spec, const Codebook& book);

}  // namespace qaq
