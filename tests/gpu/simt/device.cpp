// The GPU that is played.
#include <algorithm>
#include <utility>

#include "tests/gpu/simt/runtime.h"
#include "tests/gpu/simt/simt.h"

namespace simt {
namespace {

constexpr int kMultiprocessors = 132;
constexpr int kMaxThreadsPerBlock = 1024;
constexpr int kMaxThreadsPerMultiprocessor = 2048;
constexpr int kSharedPerBlock = 48 * 1024;
constexpr int kSharedPerBlockOptIn = 227 * 1024;
constexpr int kSharedPerMultiprocessor = 228 * 1024;
constexpr int kRegisters = 64 * 1024;
constexpr int kWarp = 32;
constexpr int kL2Bytes = 50 * 1024 * 1024;
constexpr int kBusBits = 5120;

DeviceState& device() {
  static DeviceState instance;
  return instance;
}

cudaError_t check_device(int number) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return error;
  return number >= 0 && number < device().count ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaDeviceProp properties() {
  cudaDeviceProp result{};
  device().name.copy(result.name, sizeof result.name - 1);
  result.totalGlobalMem = device_memory_total();
  result.sharedMemPerBlock = kSharedPerBlock;
  result.sharedMemPerBlockOptin = kSharedPerBlockOptIn;
  result.sharedMemPerMultiprocessor = kSharedPerMultiprocessor;
  result.regsPerBlock = kRegisters;
  result.regsPerMultiprocessor = kRegisters;
  result.warpSize = kWarp;
  result.maxThreadsPerBlock = kMaxThreadsPerBlock;
  result.maxThreadsPerMultiProcessor = kMaxThreadsPerMultiprocessor;
  result.multiProcessorCount = kMultiprocessors;
  result.major = device().major;
  result.minor = device().minor;
  result.l2CacheSize = kL2Bytes;
  result.memoryBusWidth = kBusBits;
  return result;
}

/// -1: not one of those that the shim knows.
int attribute_of(cudaDeviceAttr attribute) {
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
      return device().major;
    case cudaDevAttrComputeCapabilityMinor:
      return device().minor;
    case cudaDevAttrMultiProcessorCount:
      return kMultiprocessors;
    case cudaDevAttrMaxThreadsPerBlock:
      return kMaxThreadsPerBlock;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      return kMaxThreadsPerMultiprocessor;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      return kSharedPerBlock;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      return kSharedPerBlockOptIn;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      return kSharedPerMultiprocessor;
    case cudaDevAttrMaxRegistersPerBlock:
      return kRegisters;
    case cudaDevAttrWarpSize:
      return kWarp;
    case cudaDevAttrL2CacheSize:
      return kL2Bytes;
    default:
      return -1;
  }
}

}  // namespace

void set_device(DeviceState state) {
  const ApiCall call;
  device() = std::move(state);
}

cudaError_t device_error() { return device().error; }
void reset_device() { device() = {}; }

}  // namespace simt

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  const simt::ApiCall call;
  const cudaError_t error = simt::standing_error();
  // With an unusable driver the real one leaves the count as it was.
  if (error == cudaErrorNoDevice) *count = 0;
  if (error == cudaSuccess) *count = simt::device().count;
  return simt::remember(error);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* result, int number) {
  const simt::ApiCall call;
  const cudaError_t error = simt::check_device(number);
  if (error == cudaSuccess) *result = simt::properties();
  return simt::remember(error);
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int number) {
  const simt::ApiCall call;
  if (const cudaError_t error = simt::check_device(number); error != cudaSuccess) {
    return simt::remember(error);
  }
  const int known = simt::attribute_of(attribute);
  if (known < 0) return simt::remember(cudaErrorInvalidValue);
  *value = known;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int number) {
  const simt::ApiCall call;
  return simt::remember(simt::check_device(number));
}

cudaError_t cudaGetDevice(int* number) {
  const simt::ApiCall call;
  const cudaError_t error = simt::standing_error();
  if (error == cudaSuccess) *number = 0;
  return simt::remember(error);
}

// These two work on a machine without a driver.
cudaError_t cudaDriverGetVersion(int* version) {
  const simt::ApiCall call;
  *version = simt::device().driver_version;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
}
