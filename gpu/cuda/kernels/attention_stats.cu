// A block a head and tile of 128 keys, which walks over the rows that see the tile: its warps take
// every eighth row, a lane four keys. So each score is read once. A key's sum stays with its lane,
// in float64 and in the order of rows, and the warps' are added in order. Of a row the tile's share
// of the entropy is added over the lanes in float32 and kept; a second launch, a thread a row, adds
// the shares of its tiles in order, in float64.
//
// Bytes: 4 a score, the floor, and for its shares 1/16 of that. Four loads of 16 bytes a lane are
// on their way at a time.
#include "gpu/cuda/kernels/attention_stats.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/cuda/kernels/warp.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kKeys = 4 * 32;  // of a tile
constexpr int kAhead = 4;

struct Shared {
  double sums[kWarps][kKeys];
};

__host__ __device__ std::int64_t n_tiles(const AttentionStatsCall& call) {
  return (call.first_position + call.n_rows + kKeys - 1) / kKeys;
}

// Of one score. NaN and infinity stay, zeros (padding, too) give none.
__device__ float share_of(float p) { return p <= 0 ? 0.0f : -p * logf(p); }

__device__ float share_of(const float4& p) {
  return share_of(p.x) + share_of(p.y) + (share_of(p.z) + share_of(p.w));
}

// resources: registers 64, shared 8192, threads 256, blocks 5
__global__ void __launch_bounds__(kThreads) tile_stats(AttentionStatsCall call) {
  Shared& s = block_shared<Shared>();
  const std::int64_t head = blockIdx.x / n_tiles(call), tile = blockIdx.x % n_tiles(call);
  const std::int64_t end = call.first_position + call.n_rows;
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const std::int64_t key = tile * kKeys + 4 * lane;
  const float* slab = call.scores + head * triangle_size(call.first_position, call.n_rows);
  float* shares = call.workspace + (head * n_tiles(call) + tile) * call.n_rows;

  double sums[4] = {};
  for (std::int64_t first = max(call.first_position, tile * kKeys) + warp; first < end;
       first += kAhead * kWarps) {
    float4 quads[kAhead];
    QAQ_UNROLL
    for (int i = 0; i < kAhead; ++i) {
      const std::int64_t row = first + i * kWarps;
      quads[i] = make_float4(0, 0, 0, 0);
      if (row >= end || key > row) continue;
      quads[i] = *reinterpret_cast<const float4*>(
          slab + triangle_size(call.first_position, row - call.first_position) + key);
    }
    QAQ_UNROLL
    for (int i = 0; i < kAhead; ++i) {
      const std::int64_t row = first + i * kWarps;
      sums[0] += static_cast<double>(quads[i].x);
      sums[1] += static_cast<double>(quads[i].y);
      sums[2] += static_cast<double>(quads[i].z);
      sums[3] += static_cast<double>(quads[i].w);
      const float share = sum_of_warp(share_of(quads[i]));
      if (lane == 0 && row < end) shares[row - call.first_position] = share;
    }
  }
  QAQ_UNROLL
  for (int i = 0; i < 4; ++i) s.sums[warp][4 * lane + i] = sums[i];
  __syncthreads();
  const std::int64_t own = tile * kKeys + threadIdx.x;
  if (threadIdx.x >= kKeys || own >= end) return;
  double sum = 0;
  for (int i = 0; i < kWarps; ++i) sum += s.sums[i][threadIdx.x];
  call.stats[head * (call.n_rows + end) + call.n_rows + own] = static_cast<float>(sum);
}

// resources: registers 40, shared 0, threads 256, blocks 8
__global__ void __launch_bounds__(kThreads) row_entropies(AttentionStatsCall call) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= call.n_heads * call.n_rows) return;
  const std::int64_t head = i / call.n_rows, row = i % call.n_rows;
  const float* shares = call.workspace + head * n_tiles(call) * call.n_rows + row;
  double sum = 0;
  for (std::int64_t tile = 0; tile <= (call.first_position + row) / kKeys; ++tile) {
    sum += static_cast<double>(shares[tile * call.n_rows]);
  }
  call.stats[head * (2 * call.n_rows + call.first_position) + row] = static_cast<float>(sum);
}

}  // namespace

std::int64_t attention_stats_workspace(const AttentionStatsCall& call) {
  return call.n_heads * n_tiles(call) * call.n_rows;
}

cudaError_t attention_stats(const AttentionStatsCall& call, cudaStream_t stream) {
  if (call.n_heads == 0 || call.n_rows == 0) return cudaSuccess;
  const cudaError_t status = launch(tile_stats, static_cast<unsigned>(call.n_heads * n_tiles(call)),
                                    kThreads, 0, stream, call);
  if (status != cudaSuccess) return status;
  const std::int64_t n_blocks = (call.n_heads * call.n_rows + kThreads - 1) / kThreads;
  return launch(row_entropies, static_cast<unsigned>(n_blocks), kThreads, 0, stream, call);
}

}  // namespace qaq::cuda
