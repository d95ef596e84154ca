#include "tests/gpu/simt/launch.h"

#include <map>
#include <utility>

#include "tests/gpu/simt/runtime.h"

namespace simt {
namespace {

constexpr std::size_t kPlainSharedBytes = 48 * 1024;
constexpr int kMostSharedBytes = 227 * 1024;

/// Dynamic shared memory that kernels were allowed beyond 48 KiB.
std::map<const void*, std::size_t>& allowed_bytes() {
  static std::map<const void*, std::size_t> instance;
  return instance;
}

bool shape_fits(dim3 grid, dim3 block) {
  if (block.x == 0 || block.y == 0 || block.z == 0) return false;
  if (block.x > 1024 || block.y > 1024 || block.z > 64) return false;
  if (block.x * block.y * block.z > 1024) return false;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return false;
  return grid.x <= 0x7fffffffu && grid.y <= 65535 && grid.z <= 65535;
}

bool shared_fits(const void* kernel, std::size_t bytes) {
  if (bytes <= kPlainSharedBytes) return true;
  const auto allowed = allowed_bytes().find(kernel);
  return allowed != allowed_bytes().end() && bytes <= allowed->second;
}

}  // namespace

cudaError_t submit_launch(cudaStream_t stream, Launch launch) {
  const ApiCall call;
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (!shape_fits(launch.grid, launch.block)) {
    set_report("grid or block is outside the GPU's limits");
    return remember(cudaErrorInvalidConfiguration);
  }
  if (!shared_fits(launch.kernel, launch.shared_bytes)) {
    set_report("more than 48 KiB of shared memory, which cudaFuncSetAttribute did not allow");
    return remember(cudaErrorInvalidValue);
  }
  return submit(stream, [launch = std::move(launch)] { return run(launch); });
}

}  // namespace simt

extern "C" cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute,
                                            int value) {
  const simt::ApiCall call;
  if (const cudaError_t error = simt::standing_error(); error != cudaSuccess) {
    return simt::remember(error);
  }
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value < 0 || value > simt::kMostSharedBytes) return simt::remember(cudaErrorInvalidValue);
  simt::allowed_bytes()[kernel] = static_cast<std::size_t>(value);
  return cudaSuccess;
}
