#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/parameters.h"
#include "core/quant/packed_bytes.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// What became of one cache (K or V). T counts all captured tokens; those from `prefix` on were
/// left exact (bits = dtype_bits, error 0, no outliers).
struct CacheReplay {
  /// As bits: the KV head has dropped the token. Its error is NaN, and it has no outliers.
  static constexpr std::uint8_t kEvicted = 255;

  /// (n_layers, n_kv_heads, T); dtype_bits: left exact; kEvicted.
  NdArray<std::uint8_t, 3> bits;
  NdArray<std::uint8_t, 4>
      outliers;             ///< (n_layers, n_kv_heads, T, ceil(D/8)), MSB first; 1: kept exactly
  NdArray<float, 3> error;  ///< (n_layers, n_kv_heads, T), mean squared over channels

  double quantization_error = 0;   ///< mean squared error over what is left of the prefix
  double average_n_bits = 0;       ///< nominal, authors' formula
  double size_per_token_bits = 0;  ///< nominal, authors' `average_size` per token
  double mean_bits = 0;            ///< mean of n_bits over units, before the outliers' share
  std::int64_t n_outliers = 0;     ///< actual count over the prefix
  std::int64_t n_values = 0;       ///< values in the prefix
  std::int64_t n_kept = 0;         ///< of these, values that are not evicted
  std::int64_t n_bound_unmet = 0;  ///< units whose error budget no number of bits keeps
  PackedBytes packed;              ///< of the prefix

  bool evicts() const { return n_kept < n_values; }
};

/// A replayed capture. Immutable: share it as std::shared_ptr<const ReplayResult>.
struct ReplayResult {
  std::string policy;                 ///< "qaq"
  std::vector<Parameter> parameters;  ///< as they were used
  std::int64_t prefix = 0;            ///< tokens that were quantized
  int dtype_bits = 16;
  CacheReplay key;
  CacheReplay value;

  /// True where no captured row lies behind the prefix, so errors are of rows inside it.
  bool in_sample = false;
  /// Sum over keys of (S' - S)^2, (n_layers, n_heads, T_query); NaN in rows that were not replayed.
  /// Empty where the capture has no queries or no attention.
  NdArray<float, 3> attention_error;
  /// Mean over channels of (X' - X)^2, same shape and rules.
  NdArray<float, 3> output_error;
  /// Authors' attention_error: mean over layers, heads, replayed rows and prefix columns of
  /// (S' - S)^2. Absent where attention_error is empty.
  std::optional<double> mean_attention_error;
  /// Mean of output_error over layers, heads and replayed rows.
  std::optional<double> mean_output_error;

  /// 16 / ((1 - r) mean_bits + 16 r), K and V averaged first; over the share of tokens that is
  /// left.
  double ratio_paper = 0;
  double ratio_nominal = 0;  ///< 16 bits a value over size_per_token_bits
  double ratio_packed = 0;   ///< 2 bytes a value over packed bytes
};

using SharedReplay = std::shared_ptr<const ReplayResult>;

}  // namespace qaq
