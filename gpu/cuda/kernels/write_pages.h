#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_numbers.h"
#include "gpu/codec/page.h"

namespace qaq::cuda {

/// Rows of values, head_dim numbers of the cache's dtype, on the device or pinned. The row of
/// (list, token) is number list_stride * list + token - (first token), or what `row_of` says.
struct RowSource {
  const void* rows = nullptr;
  std::int64_t list_stride = 0;          ///< rows
  const std::int32_t* row_of = nullptr;  ///< (n_lists, max_tokens); null: as above
};

/// Writes what assign_slots() moved, in place. A row comes from
///   `fresh`   tokens that no plan covered before; its first row of a list is the first such token
///   the page  tokens that move in their width (the same codes), or get fewer bits: what the page
///             holds of them is quantized again on the grid of their own statistics, outliers apart
///   `exact`   tokens that get more bits, or come back; its first row of a list is token 0
/// Codes, scales and bases are core's (UnitEncoder, unit_grid()), bit for bit; method uniform only.
/// A unit's outliers are those of its exact values; a fresh token's are taken down once.
struct WritePagesCall {
  PagedCache cache;
  QuantizerSpec quantizer;
  const UnitStats* stats = nullptr;       ///< (units), core's numbering
  const CacheLengths* lengths = nullptr;  ///< as for assign_slots()
  RowSource fresh = {};
  RowSource exact = {};
  void* keep = nullptr;  ///< gets fresh rows, (n_lists, exact.list_stride, head_dim) from token 0
                         ///< on, pinned or on the device; null: nothing does
  bool demote_from_exact = false;  ///< fewer bits, too, come from `exact`
  std::byte* workspace = nullptr;  ///< write_workspace() bytes, at a multiple of 16
  std::int32_t n_workers = 0;      ///< blocks, each of which goes from list to list
  std::int32_t first_list = 0;
  std::int32_t n_lists = -1;  ///< -1: all from there on; the others are not touched
};
std::int64_t write_workspace(const PagedCache& cache, std::int32_t n_workers);

/// Queues it. No lists: nothing is launched.
cudaError_t write_pages(const WritePagesCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
