#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_numbers.h"

namespace qaq::cuda {

/// One layer of a cache as a plan keeps it: what core's quantize_layer() gives, bit for bit (of
/// method normal all but the sums' last bits).
struct QuantizeCall {
  const float* in = nullptr;  ///< (n_kv_heads, n_tokens, stride), zero behind head_dim
  float* out = nullptr;       ///< the same; tokens from `prefix` on as they came
  QuantizerSpec quantizer = {};
  /// Of the layer's units of the prefix, (prefix, units_per_token).
  const UnitStats* stats = nullptr;
  const std::uint8_t* n_bits = nullptr;
  /// For method normal core's codebooks one behind the other, that of b bits from 2^b - 1 on.
  const float* upper = nullptr;
  const float* centre = nullptr;
  double* errors = nullptr;          ///< (n_kv_heads, prefix), sums of (out - in)^2
  std::uint8_t* outliers = nullptr;  ///< (n_kv_heads, prefix, ceil(head_dim / 8)), MSB first; null
  std::int64_t n_kv_heads = 0;
  std::int64_t n_tokens = 0;
  std::int64_t prefix = 0;
  std::int64_t head_dim = 0;
  std::int64_t stride = 0;
  std::int64_t units_per_token = 0;  ///< of the layer: 1, or n_kv_heads
};

/// Queues it. No tokens: nothing is launched.
cudaError_t quantize_rows(const QuantizeCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
