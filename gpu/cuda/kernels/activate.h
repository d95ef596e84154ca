#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

namespace qaq::cuda {

/// SwiGLU on n numbers: gate = gate / (1 + exp(-gate)) * up, float32. Queues it; none: no launch.
cudaError_t silu_times(float* gate, const float* up, std::int64_t n, cudaStream_t stream);

}  // namespace qaq::cuda
