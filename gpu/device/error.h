#pragma once

#include <cuda_runtime_api.h>

namespace qaq::cuda {

/// Throws Error{work} that says what failed and why, and how to go on without a GPU.
void check(cudaError_t status, const char* what);

}  // namespace qaq::cuda
