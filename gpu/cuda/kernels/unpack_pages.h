#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "gpu/codec/page.h"

namespace qaq::cuda {

/// What the codes of some lists stand for: core's quantize_values() of the rows that are packed,
/// outliers as they were. Rows of tokens in no page are not touched.
struct UnpackPagesCall {
  PagedCache cache;
  void* out = nullptr;       ///< (n_lists, list_stride, head_dim), of the lists from first_list on
  DType dtype = DType::f32;  ///< of `out`
  std::int64_t list_stride = 0;
  std::int64_t first_list = 0;
  std::int64_t n_lists = 0;
};

/// Queues it. No lists: nothing is launched.
cudaError_t unpack_pages(const UnpackPagesCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
