// Every output is summed as four slices: slice s takes numbers 4 s to 4 s + 3 of every 16 along k,
// in order, in one accumulator; then the slices are added in order. Both kernels do exactly that,
// so a row has the same bytes whichever of them made it.
//
// linear_tiles, many rows: a block 64 rows x 64 outputs, 256 threads; two warps a slice, a thread
// 8 x 8 outputs of its slice. Tiles of 64 x 16 in shared memory, two buffers, one barrier a tile.
// Quads of a row change places by the row's number, so that eight threads that load or store
// together touch all banks once. Floor: 2 n_rows n k operations at the float32 rate; a thread loads
// 16 quads for 256 multiply-adds, a block 8 KB from the L2 cache for 65,536.
//
// linear_few_rows, up to 8: four lanes an output, lane = slice, so a warp's load takes 64 whole
// bytes of each of 8 weight rows; up to 16 such loads are in flight. Floor: the weight's 4 n k
// bytes.
#include "gpu/cuda/kernels/linear.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kSlices = 4;
constexpr int kDepth = 4 * kSlices;  // numbers along k that a step takes

__device__ void finish(const LinearCall& call, std::int64_t row, std::int64_t output, float sum) {
  float& to = call.out[row * call.n + output];
  if (call.bias) sum += call.bias[output];
  to = call.accumulate ? to + sum : sum;
}

constexpr int kTile = 64;
constexpr int kSpan = 8;  // a thread's outputs along either side of a tile
constexpr int kTileThreads = kSlices * (kTile / kSpan) * (kTile / kSpan);
static_assert(kTileThreads == kTile * kSlices);  // a thread loads one quad of either tile

struct TileShared {
  union {
    float4 tiles[2][2][kTile][kSlices];  // buffer; in, weight; quad_place()
    float sums[kTile][kTile + 8];  // 8: the four rows that a warp touches lie in different banks
  };
};

// Where a row of a tile keeps one of its quads.
__device__ int quad_place(int row, int quad) { return quad ^ (row / 2 % kSlices); }

// resources: registers 128, shared 18432, threads 256, blocks 2
template <bool kAligned>
__global__ void __launch_bounds__(kTileThreads) linear_tiles(LinearCall call) {
  TileShared& s = block_shared<TileShared>();
  // Rows vary fastest: blocks that run together share their weights.
  const std::int64_t n_row_tiles = (call.n_rows + kTile - 1) / kTile;
  const std::int64_t first_row = blockIdx.x % n_row_tiles * kTile;
  const std::int64_t first_output = blockIdx.x / n_row_tiles * kTile;

  // Behind the last row and output the last one is loaded again and not written.
  const int loaded = threadIdx.x / kSlices, quad = threadIdx.x % kSlices;
  const float* in = call.in + min(first_row + loaded, call.n_rows - 1) * call.k;
  const float* weight = call.weight + min(first_output + loaded, call.n - 1) * call.k;

  const int slice = threadIdx.x / (kTile / kSpan * kTile / kSpan);
  const int tile_row = threadIdx.x / (kTile / kSpan) % (kTile / kSpan);
  const int tile_output = threadIdx.x % (kTile / kSpan);
  float sums[kSpan][kSpan] = {};

  // The same for all rows of a thread, which are kTile / kSpan apart.
  const int in_place = quad_place(tile_row, slice), weight_place = quad_place(tile_output, slice);
  static_assert(kTile / kSpan % (2 * kSlices) == 0);
  int buffer = 0;
  float4 next_in = load_quad<kAligned>(in, 4 * quad, call.k);
  float4 next_weight = load_quad<kAligned>(weight, 4 * quad, call.k);
  for (std::int64_t k = 0; k < call.k; k += kDepth) {
    s.tiles[buffer][0][loaded][quad_place(loaded, quad)] = next_in;
    s.tiles[buffer][1][loaded][quad_place(loaded, quad)] = next_weight;
    __syncthreads();
    next_in = load_quad<kAligned>(in, k + kDepth + 4 * quad, call.k);
    next_weight = load_quad<kAligned>(weight, k + kDepth + 4 * quad, call.k);
    float4 a[kSpan];
    QAQ_UNROLL
    for (int i = 0; i < kSpan; ++i) {
      a[i] = s.tiles[buffer][0][tile_row + kTile / kSpan * i][in_place];
    }
    QAQ_UNROLL
    for (int j = 0; j < kSpan; ++j) {
      const float4 b = s.tiles[buffer][1][tile_output + kTile / kSpan * j][weight_place];
      QAQ_UNROLL
      for (int i = 0; i < kSpan; ++i) sums[i][j] = add_products(a[i], b, sums[i][j]);
    }
    buffer = 1 - buffer;
  }

  for (int turn = 0; turn < kSlices; ++turn) {
    __syncthreads();  // before the first turn: all have read the tiles, which lie in the same place
    if (slice != turn) continue;
    QAQ_UNROLL
    for (int i = 0; i < kSpan; ++i) {
      QAQ_UNROLL
      for (int j = 0; j < kSpan; ++j) {
        float& sum = s.sums[tile_row + kTile / kSpan * i][tile_output + kTile / kSpan * j];
        sum = turn == 0 ? sums[i][j] : sum + sums[i][j];
      }
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < kTile * kTile; i += kTileThreads) {
    const std::int64_t row = first_row + i / kTile, output = first_output + i % kTile;
    if (row < call.n_rows && output < call.n) {
      finish(call, row, output, s.sums[i / kTile][i % kTile]);
    }
  }
}

constexpr int kFewThreads = 128;
constexpr int kFewOutputs = kFewThreads / kSlices;
constexpr int kFewRows = 8;  // at most

// resources: registers 104, shared 0, threads 128, blocks 4
template <int kRows, bool kAligned>
__global__ void __launch_bounds__(kFewThreads) linear_few_rows(LinearCall call) {
  constexpr int kAhead = kRows == 1 ? 16 : 8;
  const int slice = threadIdx.x % kSlices;
  const std::int64_t output =
      static_cast<std::int64_t>(blockIdx.x) * kFewOutputs + threadIdx.x / kSlices;
  // Behind the last output and row the last one is read again and not written.
  const float* weight = call.weight + min(output, call.n - 1) * call.k;
  const float* in[kRows];
  QAQ_UNROLL
  for (int row = 0; row < kRows; ++row) {
    in[row] = call.in + min(static_cast<std::int64_t>(row), call.n_rows - 1) * call.k;
  }

  float sums[kRows] = {};
  for (std::int64_t k = 0; k < call.k; k += kDepth * kAhead) {
    float4 w[kAhead];
    QAQ_UNROLL
    for (int step = 0; step < kAhead; ++step) {
      w[step] = load_quad<kAligned>(weight, k + kDepth * step + 4 * slice, call.k);
    }
    QAQ_UNROLL
    for (int step = 0; step < kAhead; ++step) {
      if (k + kDepth * step >= call.k) break;  // the other kernel adds no zeros there either
      QAQ_UNROLL
      for (int row = 0; row < kRows; ++row) {
        const float4 x = load_quad<kAligned>(in[row], k + kDepth * step + 4 * slice, call.k);
        sums[row] = add_products(x, w[step], sums[row]);
      }
    }
  }

  QAQ_UNROLL
  for (int row = 0; row < kRows; ++row) {
    float sum = __shfl_sync(~0u, sums[row], 0, kSlices);
    QAQ_UNROLL
    for (int from = 1; from < kSlices; ++from) {
      sum += __shfl_sync(~0u, sums[row], from, kSlices);
    }
    if (slice == row % kSlices && row < call.n_rows && output < call.n)
      finish(call, row, output, sum);
  }
}

template <bool kAligned>
cudaError_t launch_few_rows(const LinearCall& call, cudaStream_t stream) {
  auto* kernel = linear_few_rows<8, kAligned>;
  if (call.n_rows == 1) kernel = linear_few_rows<1, kAligned>;
  if (call.n_rows == 2) kernel = linear_few_rows<2, kAligned>;
  if (call.n_rows == 3 || call.n_rows == 4) kernel = linear_few_rows<4, kAligned>;
  const std::int64_t n_blocks = (call.n + kFewOutputs - 1) / kFewOutputs;
  return launch(kernel, static_cast<unsigned>(n_blocks), kFewThreads, 0, stream, call);
}

template <bool kAligned>
cudaError_t launch_tiles(const LinearCall& call, cudaStream_t stream) {
  const std::int64_t n_blocks =
      ((call.n_rows + kTile - 1) / kTile) * ((call.n + kTile - 1) / kTile);
  return launch(linear_tiles<kAligned>, static_cast<unsigned>(n_blocks), kTileThreads, 0, stream,
                call);
}

}  // namespace

cudaError_t linear(const LinearCall& call, cudaStream_t stream) {
  if (call.n_rows == 0 || call.n == 0) return cudaSuccess;
  const bool aligned = in_whole_quads(call.k, {call.in, call.weight});
  if (call.n_rows <= kFewRows) {
    return aligned ? launch_few_rows<true>(call, stream) : launch_few_rows<false>(call, stream);
  }
  return aligned ? launch_tiles<true>(call, stream) : launch_tiles<false>(call, stream);
}

}  // namespace qaq::cuda
