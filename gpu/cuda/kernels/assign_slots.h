#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "gpu/codec/page.h"

namespace qaq::cuda {

/// Gives every token of a plan its page and slot. In each list and width, in this order: tokens
/// that leave make holes; tokens that arrive, by position, fill the lowest holes, then append;
/// tokens from the end fill what is left. So all pages of a width but its last are full, tokens
/// that stay keep their slots unless they fill a hole, and the answer depends on the plans so far
/// alone.
///
/// Tables, tokens and `changed` become the plan's; what is held (`held`, `slots`, codes) stays
/// until write_pages(). A list that cannot follow keeps its tables and says why in its state.
struct AssignSlotsCall {
  PagedCache cache;
  const std::uint8_t* n_bits = nullptr;   ///< (units), core's numbering; kInNoPage: evicted
  const CacheLengths* lengths = nullptr;  ///< on the device; the plan covers n_packed tokens
  std::byte* workspace = nullptr;         ///< assign_workspace() bytes, at a multiple of 16
  std::int32_t n_workers = 0;             ///< blocks, each of which goes from list to list
  std::int32_t first_list = 0;
  std::int32_t n_lists = -1;  ///< -1: all from there on; the others are not touched
};
std::int64_t assign_workspace(const PagedCache& cache, std::int32_t n_workers);

/// Queues it. No lists: nothing is launched.
cudaError_t assign_slots(const AssignSlotsCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
