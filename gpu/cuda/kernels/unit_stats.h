#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/quant/unit_numbers.h"
#include "core/tensor/dtype.h"

namespace qaq::cuda {

/// Statistics of every unit of some tokens of one cache: what core's fill_unit_stats() gives for
/// the same numbers, bit for bit (but for which zero, where both are in a unit). Units are core's,
/// in core's numbering (UnitLayout); those of some layers may be taken by themselves.
struct UnitStatsCall {
  const void* values = nullptr;  ///< (n_layers, n_kv_heads, cache_stride, head_dim)
  DType dtype = DType::f32;      ///< of the values
  UnitStats* stats = nullptr;    ///< of all units from token 0 on; those of the tokens are written
  /// Gets the place in `values` of the first number that is not finite, where that is smaller than
  /// what is there. The stats of a unit with such a number say that all of it are outliers.
  std::int64_t* first_bad = nullptr;
  std::int64_t n_layers = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t cache_stride = 0;  ///< tokens between two heads
  std::int64_t head_dim = 0;
  std::int64_t units_per_token = 0;  ///< UnitLayout's: 1, n_layers or n_layers * n_kv_heads
  std::int64_t first_unit = 0;       ///< of each token the first that is taken
  std::int64_t n_units = -1;         ///< and how many; -1: all from there on
  std::int64_t first_token = 0;
  std::int64_t n_tokens = 0;
  const std::int64_t* position = nullptr;  ///< on the device, added to first_token; or null
  bool rows_from_first = false;  ///< row 0 of `values` is the first of the tokens, not token 0
  double outliers_ratio = 0;
  bool deviation = false;  ///< taken too, as method normal needs it
};

/// Queues it. No tokens, or no units: nothing is launched. cudaErrorInvalidValue: units that do not
/// fit the shape.
cudaError_t unit_stats(const UnitStatsCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
