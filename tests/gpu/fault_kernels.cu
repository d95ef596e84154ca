#include "gpu/cuda/portable.h"
#include "tests/gpu/fault_kernels.h"

namespace qaq::faults {
namespace {

using cuda::block_shared;

struct Shared {
  alignas(16) float v[kThreads];
};

__device__ int thread() { return static_cast<int>(threadIdx.x); }
__device__ int block_first() { return static_cast<int>(blockIdx.x * blockDim.x); }

float same(int i) { return static_cast<float>(i + 1); }
float reversed(int i) { return static_cast<float>(kThreads - i); }
float neighbour(int i) { return same(i ^ 1); }
float next(int i) { return same(i + 1); }
float one(int) { return 1; }
float zero(int) { return 0; }
float total(int) { return kThreads * (kThreads + 1) / 2; }

/// A block turns its numbers around.
__global__ void sound(FaultData d) {
  auto& s = block_shared<Shared>();
  s.v[thread()] = d.in[thread()];
  __syncthreads();
  d.out[thread()] = s.v[kThreads - 1 - thread()];
}

/// Another warp's number is read without a barrier after its write.
__global__ void no_barrier(FaultData d) {
  auto& s = block_shared<Shared>();
  s.v[thread()] = d.in[thread()];
  d.out[thread()] = s.v[kThreads - 1 - thread()];
}

/// The barrier after the write is there; the one before the next write is not.
__global__ void no_second_barrier(FaultData d) {
  auto& s = block_shared<Shared>();
  s.v[thread()] = d.in[thread()];
  __syncthreads();
  const float turned = s.v[kThreads - 1 - thread()];
  s.v[thread()] = turned;
  __syncthreads();
  d.out[thread()] = s.v[thread()];
}

/// Lanes of one warp exchange through shared memory without __syncwarp.
__global__ void no_warp_barrier(FaultData d) {
  auto& s = block_shared<Shared>();
  s.v[thread()] = d.in[thread()];
  d.out[thread()] = s.v[thread() ^ 1];
}

/// The same with one in front: the slow lane's step is not ordered by the fast lane's next one.
__global__ void no_second_warp_barrier(FaultData d) {
  auto& s = block_shared<Shared>();
  s.v[thread()] = d.in[thread()];
  __syncwarp();
  const float other = s.v[thread() ^ 1];
  s.v[thread()] = other;
  __syncwarp();
  d.out[thread()] = s.v[thread()];
}

/// Half of the block waits at one barrier, half at another.
__global__ void divergent_barrier(FaultData d) {
  if (thread() < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  d.out[thread()] = d.in[thread()];
}

/// A whole warp's shuffle in a branch that a part of the warp takes.
__global__ void partial_warp_shuffle(FaultData d) {
  if (thread() % 32 < 20) d.out[thread()] = __shfl_down_sync(~0u, d.in[thread()], 1);
}

/// A shuffle reads a lane that its mask leaves out.
__global__ void shuffle_outside_mask(FaultData d) {
  if (thread() % 32 < 16) d.out[thread()] = __shfl_sync(0xffffu, d.in[thread()], 20);
}

/// A later shuffle waits for lanes that have exited.
__global__ void exited_lane(FaultData d) {
  if (thread() % 32 >= 24) return;
  d.out[thread()] = __shfl_xor_sync(~0u, d.in[thread()], 1);
}

/// No guard in the last block.
__global__ void no_tail_guard(FaultData d) {
  const int i = block_first() + thread();
  d.out[i] = d.in[i % kThreads];
}

/// A shared array is overrun by one.
__global__ void shared_overrun(FaultData d) {
  auto& s = block_shared<Shared>();
  s.v[thread() + 1] = d.in[thread()];
  __syncthreads();
  d.out[thread()] = thread() == 0 ? d.in[0] : s.v[thread()] + 1;
}

/// Shared memory that only one thread has written.
__global__ void unwritten_shared(FaultData d) {
  auto& s = block_shared<Shared>();
  if (thread() == 0) s.v[0] = d.in[0];
  __syncthreads();
  d.out[thread()] = s.v[thread()];
}

/// Device memory that nobody has written.
__global__ void unwritten_device(FaultData d) {
  d.out[thread()] = d.in[thread()] + d.nothing[thread()];
}

/// A 16-byte load from an address that is a multiple of 4 only.
__global__ void misaligned_load(FaultData d) {
  const uint4 words = *reinterpret_cast<const uint4*>(d.words + 1);
  d.out[thread()] = static_cast<float>(words.x);
}

/// All threads add to one number, not atomically.
__global__ void add_without_atomic(FaultData d) {
  if (thread() == 0) d.out[0] = 0;
  __syncthreads();
  d.out[0] += d.in[thread()];
}

/// An index past 2^31 in 32 bits.
__global__ void index_overflow(FaultData d) {
  d.out[thread()] = d.in[(d.stride * thread()) % kThreads];
}

/// A shift by the width of the type, which is 0 on a GPU.
__global__ void wide_shift(FaultData d) {
  d.out[thread()] = static_cast<float>(d.words[thread()] << d.word_bits);
}

/// A NaN becomes an integer, 0 on a GPU.
__global__ void nan_to_int(FaultData d) {
  const float nothing = d.in[thread()] - d.in[thread()];
  d.out[thread()] = static_cast<float>(static_cast<int>(nothing / nothing));
}

/// One block reads what another has written.
__global__ void block_reads_block(FaultData d) {
  if (blockIdx.x == 0) {
    d.out[thread()] = d.in[thread()];
  } else {
    d.out[block_first() + thread()] = d.out[kThreads - 1 - thread()];
  }
}
float same_then_reversed(int i) { return i < kThreads ? same(i) : reversed(i - kThreads); }

/// The answer depends on whose atomic comes first.
__global__ void order_of_atomics(FaultData d) {
  d.out[thread()] = static_cast<float>(atomicAdd(d.words, 1u));
}

/// A copy to shared memory is read without a wait for it.
__global__ void no_copy_wait(FaultData d) {
  auto& s = block_shared<Shared>();
  if (thread() % 4 == 0) {
    cuda::copy_async(&s.v[thread()], d.in + thread());
    cuda::commit_copies();
    cuda::wait_copies<1>();  // for all but the newest group, which is this one
  }
  __syncthreads();
  d.out[thread()] = s.v[thread()];
}

constexpr Finder kNone = Finder::kNone, kReport = Finder::kReport, kValues = Finder::kValues,
                 kSanitizer = Finder::kSanitizer;

constexpr FaultCase kCases[] = {
    {"sound", sound, reversed, kNone, kNone, kNone},
    {"no_barrier", no_barrier, reversed, kValues, kValues, kSanitizer},
    {"no_second_barrier", no_second_barrier, reversed, kValues, kValues, kSanitizer},
    {"no_warp_barrier", no_warp_barrier, neighbour, kValues, kValues, kSanitizer},
    {"no_second_warp_barrier", no_second_warp_barrier, neighbour, kValues, kValues, kSanitizer},
    {"divergent_barrier", divergent_barrier, same, kReport, kReport, kReport},
    {"partial_warp_shuffle", partial_warp_shuffle, next, kReport, kReport, kReport},
    {"shuffle_outside_mask", shuffle_outside_mask, same, kReport, kReport, kReport},
    {"exited_lane", exited_lane, neighbour, kReport, kReport, kReport},
    {"no_tail_guard", no_tail_guard, same, kReport, kSanitizer, kReport, kThreads, 2},
    {"shared_overrun", shared_overrun, same, kReport, kSanitizer, kReport},
    {"unwritten_shared", unwritten_shared, same, kValues, kValues, kValues},
    {"unwritten_device", unwritten_device, same, kValues, kValues, kValues},
    {"misaligned_load", misaligned_load, one, kNone, kSanitizer, kNone},
    {"add_without_atomic", add_without_atomic, total, kNone, kNone, kSanitizer, 1},
    {"index_overflow", index_overflow, one, kNone, kSanitizer, kNone},
    {"wide_shift", wide_shift, zero, kValues, kSanitizer, kValues},
    {"nan_to_int", nan_to_int, zero, kValues, kSanitizer, kValues},
    {"block_reads_block", block_reads_block, same_then_reversed, kValues, kValues, kSanitizer,
     2 * kThreads, 2},
    {"no_copy_wait", no_copy_wait, same, kValues, kValues, kValues},
    {"order_of_atomics", order_of_atomics, same, kValues, kValues, kValues},
};

}  // namespace

std::span<const FaultCase> fault_cases() { return kCases; }

cudaError_t launch_fault(const FaultCase& fault, const FaultData& data) {
  return cuda::launch(fault.kernel, fault.n_blocks, kThreads, 0, nullptr, data);
}

}  // namespace qaq::faults
