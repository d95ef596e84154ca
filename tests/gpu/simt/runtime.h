// What the sources of the runtime API share. Only the shim's sources include this.
#pragma once

#include <cuda_runtime_api.h>
#include <functional>
#include <mutex>

namespace simt {

/// Held during a call of the API: threads of the program may call it at once. A host function runs
/// with it held.
class ApiCall {
 public:
  ApiCall();

 private:
  std::lock_guard<std::recursive_mutex> lock_;
};

/// Why no call can work: there is no GPU to play, an earlier launch failed, or a host function
/// calls. cudaSuccess where there is no such reason.
cudaError_t standing_error();
/// From now on every call returns it, as after an illegal address.
void set_sticky(cudaError_t error);
void clear_errors();
/// Keeps an error for cudaGetLastError() and gives it back.
cudaError_t remember(cudaError_t error);
void set_report(const char* report);

/// Does work at once, or, deferred, when its turn comes.
cudaError_t submit(cudaStream_t stream, std::function<cudaError_t()> work);
struct Event;
/// Waits until an event reached its record number `version`.
cudaError_t drain_event(const Event& event, unsigned long version);
/// Waits for all streams.
cudaError_t drain_all();
/// Waits for a stream. The null stream stands for those that block with it, too.
cudaError_t drain(cudaStream_t stream);

/// What every call returns on a machine like the one played; cudaSuccess: there is a GPU.
cudaError_t device_error();
void reset_device();
void reset_allocation_limits();
/// Counts an allocation: whether it is the one that fail_allocation() chose.
bool allocation_must_fail();
std::size_t device_memory_total();

/// Whether the range is within one allocation, of the device or pinned, or outside all of them.
enum class Place { kHost, kPinned, kDevice, kAcrossAnEnd };
Place place_of(const void* begin, std::size_t bytes);

/// Marks the calling thread as running a host function.
class HostFunction {
 public:
  HostFunction();
  ~HostFunction();
  HostFunction(const HostFunction&) = delete;
  HostFunction& operator=(const HostFunction&) = delete;
};

}  // namespace simt
