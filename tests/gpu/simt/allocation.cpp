// cudaMalloc and its kin, and who holds what.
#include <algorithm>
#include <cstdint>
#include <map>

#include "tests/gpu/simt/capture.h"
#include "tests/gpu/simt/memory.h"
#include "tests/gpu/simt/runtime.h"
#include "tests/gpu/simt/simt.h"

namespace simt {
namespace {

constexpr std::size_t kDefaultTotal = std::size_t{16} << 30;

struct Allocation {
  std::size_t bytes;
  bool on_device;
};

struct Allocations {
  std::map<std::uintptr_t, Allocation> live;
  std::size_t device_bytes = 0;
  std::size_t pinned_bytes = 0;
  std::size_t total = kDefaultTotal;
  int until_failure = 0;

  std::size_t& bytes_of(bool on_device) { return on_device ? device_bytes : pinned_bytes; }
};

Allocations& allocations() {
  static Allocations& instance = *new Allocations;
  return instance;
}

std::uintptr_t address(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

cudaError_t allocate(void** memory, std::size_t bytes, bool on_device) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (!memory) return remember(cudaErrorInvalidValue);
  if (const cudaError_t error = unsafe_call(); error != cudaSuccess) return error;
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  Allocations& all = allocations();
  const std::size_t free = all.total - std::min(all.total, all.device_bytes);
  if (allocation_must_fail() || (on_device && bytes > free)) {
    return remember(cudaErrorMemoryAllocation);
  }
  *memory = guarded_alloc(bytes);
  if (!*memory) return remember(cudaErrorMemoryAllocation);
  all.live[address(*memory)] = {bytes, on_device};
  all.bytes_of(on_device) += bytes;
  return cudaSuccess;
}

/// Waits for all work first, as CUDA does. After a failure memory is still given back: the context
/// that held it is gone.
cudaError_t release_allocation(void* memory, bool on_device) {
  if (!memory) return remember(standing_error());
  if (const cudaError_t error = unsafe_call(); error != cudaSuccess) return error;
  Allocations& all = allocations();
  const auto found = all.live.find(address(memory));
  if (found == all.live.end() || found->second.on_device != on_device) {
    return remember(cudaErrorInvalidValue);
  }
  drain_all();
  const std::size_t bytes = found->second.bytes;
  if (!guard_intact(memory, bytes)) {
    set_report("an allocation was written past its end");
    set_sticky(cudaErrorLaunchFailure);
  }
  all.bytes_of(on_device) -= bytes;
  all.live.erase(found);
  guarded_free(memory, bytes);
  return remember(standing_error());
}

}  // namespace

std::size_t live_allocations() {
  const ApiCall call;
  return allocations().live.size();
}

std::size_t live_bytes() {
  const ApiCall call;
  return allocations().device_bytes + allocations().pinned_bytes;
}

std::size_t live_device_bytes() {
  const ApiCall call;
  return allocations().device_bytes;
}

void fail_allocation(int n) {
  const ApiCall call;
  allocations().until_failure = n;
}

void set_device_memory(std::size_t total_bytes) {
  const ApiCall call;
  allocations().total = total_bytes;
}

bool allocation_must_fail() {
  return allocations().until_failure > 0 && --allocations().until_failure == 0;
}

std::size_t device_memory_total() { return allocations().total; }

void reset_allocation_limits() {
  allocations().total = kDefaultTotal;
  allocations().until_failure = 0;
}

Place place_of(const void* begin, std::size_t bytes) {
  const std::uintptr_t first = address(begin), end = first + bytes;
  const auto& live = allocations().live;
  // The last allocation that starts before the range ends.
  auto next = live.lower_bound(end);
  if (next == live.begin()) return Place::kHost;
  const auto& [start, allocation] = *--next;
  const std::uintptr_t allocation_end = start + allocation.bytes;
  if (first >= allocation_end) return Place::kHost;
  if (first < start || end > allocation_end) return Place::kAcrossAnEnd;
  return allocation.on_device ? Place::kDevice : Place::kPinned;
}

}  // namespace simt

extern "C" {

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  const simt::ApiCall call;
  return simt::allocate(memory, bytes, true);
}

cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  const simt::ApiCall call;
  return simt::allocate(memory, bytes, false);
}

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  return cudaMallocHost(memory, bytes);
}

cudaError_t cudaFree(void* memory) {
  const simt::ApiCall call;
  return simt::release_allocation(memory, true);
}

cudaError_t cudaFreeHost(void* memory) {
  const simt::ApiCall call;
  return simt::release_allocation(memory, false);
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  const simt::ApiCall call;
  if (const cudaError_t error = simt::standing_error(); error != cudaSuccess) {
    return simt::remember(error);
  }
  const simt::Allocations& all = simt::allocations();
  *total = all.total;
  *free = all.total - std::min(all.total, all.device_bytes);
  return cudaSuccess;
}
}
