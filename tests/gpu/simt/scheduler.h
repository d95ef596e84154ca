// What a kernel's threads ask of the scheduler. Kernels reach it through CUDA's own names, in
// collectives.h, atomics.h and mma.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime_api.h>
#include <functional>
#include <source_location>
#include <string>

// The scheduler sets these at every switch. Its writes are not instrumented, so that a sanitizer
// sees reads only.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace simt {

constexpr unsigned kWarpSize = 32;

using Site = std::source_location;

enum class Op : std::uint8_t { kNone, kBlock, kWarp, kShuffle, kVote };
enum class Vote : std::uint8_t { kCount, kAll, kAny };

/// A call that the lanes of a mask make together.
struct Collective {
  Op op;
  unsigned mask;
  Site site;
};

/// The calling thread's lane in its warp.
unsigned lane();

/// The same address for every thread of a block; new and full of NaN for each block.
void* static_shared(std::size_t bytes, Site site);
/// As long as the launch asked for; new and full of NaN for each block.
void* dynamic_shared(Site site);

void sync_threads(Site site);
int sync_threads_vote(bool mine, Vote vote, Site site);

/// Deposits `mine`, waits for every lane of the mask, then gives the deposits of the 32 lanes; they
/// stay until the calling lane's next collective.
const std::uint64_t* exchange(const Collective& call, std::uint64_t mine);
/// Ends the launch where a shuffle reads a lane that its mask leaves out.
void check_source(const Collective& call, unsigned source);

/// What __threadfence() orders, for the thread sanitizer.
void thread_fence();

/// Ends the launch with a report. The thread is left behind as it stands, so move `what` in and
/// keep nothing else that owns memory.
[[noreturn]] void fail(std::string what, Site site);

struct Launch {
  const void* kernel = nullptr;
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;
  std::function<void()> body;  ///< what one thread does
};

/// Runs a launch at once, block after block.
cudaError_t run(const Launch& launch);
/// Checks a launch against the GPU's limits and queues it.
cudaError_t submit_launch(cudaStream_t stream, Launch launch);

}  // namespace simt
