// What tests ask of the shim: schedules, the order of streams, memory that runs out, and which GPU
// to play.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime_api.h>
#include <string>

namespace simt {

/// Which thread of a block goes first. A right kernel gives the same bytes under all.
enum class Schedule : std::uint8_t { kForward, kReverse, kRandom };
void set_schedule(Schedule schedule, std::uint64_t seed = 1);

/// Why the last launch failed; empty where it did not.
std::string last_report();
/// Switches from thread to thread so far: what a launch costs.
std::uint64_t switches();

/// Whether the thread sanitizer watches the backend, which takes twenty times as long.
bool thread_sanitizer();

/// Bytes of all copies from the device to the host so far.
std::size_t bytes_to_host();

/// Off: work is done when it is queued. On: at the next wait, one piece at a time, from a random
/// stream whose next piece may run. Work still queued and captures that go on are dropped, and an
/// earlier failure forgotten.
void defer(bool on, std::uint64_t seed = 1);

/// On: between two events are as many milliseconds as pieces of work were done, on all streams.
/// Off: none.
void time_pieces(bool on);

/// What was allocated on the device or pinned, and is not free yet.
std::size_t live_allocations();
std::size_t live_bytes();
/// The device's part of live_bytes().
std::size_t live_device_bytes();
std::size_t live_streams();
std::size_t live_events();
/// Graphs as captured and as instantiated.
std::size_t live_graphs();

/// The n-th next cudaMalloc, cudaMallocHost or cudaGraphInstantiate returns
/// cudaErrorMemoryAllocation. 0: none does.
void fail_allocation(int n);
/// What the device has in all; allocations past it are refused.
void set_device_memory(std::size_t total_bytes);

/// The GPU to play. `error` is what every call returns that needs a device, cudaGetDeviceCount
/// first.
struct DeviceState {
  cudaError_t error = cudaSuccess;
  int driver_version = CUDART_VERSION;  ///< 0: there is no driver
  int count = 1;
  int major = 9;
  int minor = 0;
  std::string name = "SIMT shim";

  static DeviceState no_driver() {
    return {.error = cudaErrorInsufficientDriver, .driver_version = 0, .count = 0};
  }
  static DeviceState old_driver() {
    return {.error = cudaErrorInsufficientDriver, .driver_version = 12040, .count = 0};
  }
  static DeviceState no_device() { return {.error = cudaErrorNoDevice, .count = 0}; }
  static DeviceState capability(int major, int minor) { return {.major = major, .minor = minor}; }
};
void set_device(DeviceState state);

/// All of the above as it was at the start, and no failure remembered. Allocations stay.
void reset();

}  // namespace simt
