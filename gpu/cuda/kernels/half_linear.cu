// Numbers move in pieces: 8 of them, 16 bytes. Where a row's length or address does not allow that
// they come one by one into the same places, so that the order of sums is the same.
//
// gemv, up to 8 rows: a warp 2 or 4 outputs, a lane the pieces l, l + 32, ... along k, in one
// float32 accumulator; the lanes are folded by shuffles. Neither the number of rows nor that of
// outputs a warp changes this order. A lane has 8 streaming loads in flight: as soon as one is used
// the next takes its place, across the barriers that bring the next chunk of `in`. That is float32
// in shared memory, converted once a block, and its two quads of a piece lie in two arrays, so that
// eight lanes read 128 consecutive bytes. Floor: the weight's 2 n k bytes. A block reads `in` again
// from the L2 cache, a 16th of its weights' bytes for one row, a quarter for 8; shared memory gives
// one byte for each byte of the weight for one row, 4 for 8, of the 8 that it has time for.
//
// gemm_mma, more rows: a block a tile of 128 x 128 or 64 x 64, 32 along k at a time, in a ring of 3
// or 6 stages that cp.async fills, 48 KB, and one barrier a stage; a warp half the tile's rows x 32
// outputs. A row of a stage is 4 pieces whose places change with the row's number, so that the 8
// rows of an ldmatrix, and the 8 lanes that write 2 rows, touch all banks once. Floor: 2 n_rows n k
// operations at the tensor cores' rate, or the weight's bytes. Shared memory, tile of 128: 16 KB
// written and 48 KB read for 2^20 operations, 512 cycles at 128 bytes each, where the tensor cores
// of an H100 need 256: half of their rate is the most. A block takes 16 KB from the L2 cache for
// those. The small tile is for few rows, where the weight's bytes count: more blocks, and 20 KB of
// the weight in flight in each.
#include "gpu/cuda/kernels/half_linear.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

using Bits = unsigned short;  // a number of either type

constexpr int kPiece = 8;  // numbers
constexpr int kWarp = 32;

/// Piece number `piece` of a row of k, zero behind its end. kOnce: nobody reads it again.
template <bool kAligned, bool kOnce = false>
__device__ uint4 load_piece(const Bits* row, std::int64_t piece, std::int64_t k) {
  const std::int64_t first = kPiece * piece;
  if (first >= k) return make_uint4(0, 0, 0, 0);
  if constexpr (kAligned) {
    const uint4* at = reinterpret_cast<const uint4*>(row + first);
    if constexpr (kOnce) return __ldcs(at);
    return *at;
  } else {
    unsigned words[kPiece / 2];
    QAQ_UNROLL
    for (int i = 0; i < kPiece; ++i) {
      const unsigned bits = first + i < k ? row[first + i] : 0u;
      words[i / 2] = i % 2 == 0 ? bits : words[i / 2] | bits << 16;
    }
    return make_uint4(words[0], words[1], words[2], words[3]);
  }
}

template <class Half>
__device__ float2 pair_in(unsigned word) {
  if constexpr (std::is_same_v<Half, __half>) {
    return make_float2(__half2float(__ushort_as_half(static_cast<Bits>(word))),
                       __half2float(__ushort_as_half(static_cast<Bits>(word >> 16))));
  } else {
    return make_float2(__uint_as_float(word << 16), __uint_as_float(word & 0xffff0000u));
  }
}

template <class Half>
__device__ float4 quad_in(unsigned first, unsigned second) {
  const float2 a = pair_in<Half>(first), b = pair_in<Half>(second);
  return make_float4(a.x, a.y, b.x, b.y);
}

__device__ float finished(const HalfLinearCall& call, std::int64_t output, float sum,
                          float before) {
  if (call.bias) sum += call.bias[output];
  return call.accumulate ? before + sum : sum;
}

__device__ void finish(const HalfLinearCall& call, std::int64_t row, std::int64_t output,
                       float sum) {
  float& to = call.out[row * call.n + output];
  to = finished(call, output, sum, call.accumulate ? to : 0);
}

constexpr int kFewThreads = 256;

template <int kRows>
struct FewShape {
  static constexpr int kOutputs = kRows <= 2 ? 2 : 4;  // of a warp
  static constexpr int kAhead = 8 / kOutputs;          // pieces of each output in flight
  static constexpr int kChunk = 1024 / kRows;          // pieces of `in` in shared memory, 32 KB
  static constexpr int kBlockOutputs = kFewThreads / kWarp * kOutputs;
  static_assert(kChunk % (kWarp * kAhead) == 0);
};

template <int kRows>
struct FewShared {
  float4 in[kRows][2][FewShape<kRows>::kChunk];
};

// Rows behind the last are zeros.
template <class Half, int kRows, bool kAligned>
__device__ void load_chunk(FewShared<kRows>& s, const HalfLinearCall& call, std::int64_t first) {
  const std::int64_t n_left = (call.k + kPiece - 1) / kPiece - first;
  const int n_pieces =
      static_cast<int>(min(n_left, static_cast<std::int64_t>(FewShape<kRows>::kChunk)));
  for (int row = 0; row < kRows; ++row) {
    const Bits* in = static_cast<const Bits*>(call.in) + row * call.k;
    const std::int64_t n_numbers = row < call.n_rows ? call.k : 0;
    for (int i = threadIdx.x; i < n_pieces; i += kFewThreads) {
      const uint4 piece = load_piece<kAligned>(in, first + i, n_numbers);
      s.in[row][0][i] = quad_in<Half>(piece.x, piece.y);
      s.in[row][1][i] = quad_in<Half>(piece.z, piece.w);
    }
  }
}

// Adds the lanes' sums, pair by pair at distances 16, 8, 4, 2, 1. As long as there are several the
// lanes of a pair share the work: lane l is left with sum number l kSums / 32.
template <int kSums, int kDistance = kWarp / 2>
__device__ float folded(const float (&sums)[kSums]) {
  if constexpr (kDistance == 0) {
    return sums[0];
  } else if constexpr (kSums == 1) {
    const float next[1] = {sums[0] + __shfl_xor_sync(~0u, sums[0], kDistance)};
    return folded<1, kDistance / 2>(next);
  } else {
    const bool upper = threadIdx.x & kDistance;
    float next[kSums / 2];
    QAQ_UNROLL
    for (int i = 0; i < kSums / 2; ++i) {
      const float low = sums[i], high = sums[i + kSums / 2];
      const float given = __shfl_xor_sync(~0u, upper ? low : high, kDistance);
      next[i] = (upper ? high : low) + given;
    }
    return folded<kSums / 2, kDistance / 2>(next);
  }
}

// resources: registers 128, shared 32768, threads 256, blocks 2
template <class Half, int kRows, bool kAligned>
__global__ void __launch_bounds__(kFewThreads, 2) gemv(HalfLinearCall call) {
  using Shape = FewShape<kRows>;
  constexpr int kOutputs = Shape::kOutputs, kAhead = Shape::kAhead;
  FewShared<kRows>& s = block_shared<FewShared<kRows>>();
  const int lane = threadIdx.x % kWarp;
  const std::int64_t first_output =
      static_cast<std::int64_t>(blockIdx.x) * Shape::kBlockOutputs + threadIdx.x / kWarp * kOutputs;
  const std::int64_t n_pieces = (call.k + kPiece - 1) / kPiece;

  // Behind the last output the last one is read again and not written.
  const Bits* weight[kOutputs];
  uint4 ahead[kAhead][kOutputs];
  QAQ_UNROLL
  for (int j = 0; j < kOutputs; ++j) {
    weight[j] = static_cast<const Bits*>(call.weight) + min(first_output + j, call.n - 1) * call.k;
    QAQ_UNROLL
    for (int step = 0; step < kAhead; ++step) {
      ahead[step][j] = load_piece<kAligned, true>(weight[j], kWarp * step + lane, call.k);
    }
  }

  float sums[kRows * kOutputs] = {};
  for (std::int64_t chunk = 0; chunk < n_pieces; chunk += Shape::kChunk) {
    __syncthreads();  // all have read the chunk before
    load_chunk<Half, kRows, kAligned>(s, call, chunk);
    __syncthreads();
    for (int first = 0; first < Shape::kChunk && chunk + first < n_pieces;
         first += kWarp * kAhead) {
      QAQ_UNROLL
      for (int step = 0; step < kAhead; ++step) {
        const int place = first + kWarp * step + lane;
        if (chunk + place >= n_pieces) break;  // adding zeros could change the sign of a zero
        QAQ_UNROLL
        for (int part = 0; part < 2; ++part) {
          float4 w[kOutputs];
          QAQ_UNROLL
          for (int j = 0; j < kOutputs; ++j) {
            const uint4& piece = ahead[step][j];
            w[j] = part == 0 ? quad_in<Half>(piece.x, piece.y) : quad_in<Half>(piece.z, piece.w);
          }
          QAQ_UNROLL
          for (int row = 0; row < kRows; ++row) {
            const float4 in = s.in[row][part][place];
            QAQ_UNROLL
            for (int j = 0; j < kOutputs; ++j) {
              float& sum = sums[kOutputs * row + j];
              sum = add_products(in, w[j], sum);
            }
          }
        }
        QAQ_UNROLL
        for (int j = 0; j < kOutputs; ++j) {
          ahead[step][j] =
              load_piece<kAligned, true>(weight[j], chunk + place + kWarp * kAhead, call.k);
        }
      }
    }
  }

  const float sum = folded(sums);
  constexpr int kSums = kRows * kOutputs;
  const int which = lane * kSums / kWarp, row = which / kOutputs;
  const std::int64_t output = first_output + which % kOutputs;
  if (lane % (kWarp / kSums) == 0 && row < call.n_rows && output < call.n) {
    finish(call, row, output, sum);
  }
}

constexpr int kDepth = 32;  // numbers along k of a stage
constexpr int kRowPieces = kDepth / kPiece;
constexpr int kWarpOutputs = 32;

template <int kTile>
struct TileShared {
  static constexpr int kStages = kTile == 128 ? 3 : 6;  // 48 KB
  uint4 in[kStages][kTile][kRowPieces];                 // piece_place()
  uint4 weight[kStages][kTile][kRowPieces];
};

// Where a row of a stage keeps one of its pieces.
__device__ int piece_place(int row, int piece) { return piece ^ (row / 2 % kRowPieces); }

/// What one thread brings into every stage: of `in` and of the weight one piece of two rows that
/// are half a tile apart. Null: behind the last row, zeros.
template <int kTile, bool kAligned>
struct Loader {
  const Bits* in[2];
  const Bits* weight[2];
  std::int64_t k;
  int row, piece;

  __device__ Loader(const HalfLinearCall& call, std::int64_t first_row, std::int64_t first_output)
      : k(call.k), row(threadIdx.x / kRowPieces), piece(threadIdx.x % kRowPieces) {
    QAQ_UNROLL
    for (int i = 0; i < 2; ++i) {
      const std::int64_t in_row = first_row + row + kTile / 2 * i;
      const std::int64_t output = first_output + row + kTile / 2 * i;
      in[i] = in_row < call.n_rows ? static_cast<const Bits*>(call.in) + in_row * k : nullptr;
      weight[i] = output < call.n ? static_cast<const Bits*>(call.weight) + output * k : nullptr;
    }
  }

  __device__ void load(TileShared<kTile>& s, int stage, std::int64_t step) const {
    const int place = piece_place(row, piece);  // the same for both rows
    static_assert(kTile / 2 % (2 * kRowPieces) == 0);
    QAQ_UNROLL
    for (int i = 0; i < 2; ++i) {
      load_one(&s.in[stage][row + kTile / 2 * i][place], in[i], step);
      load_one(&s.weight[stage][row + kTile / 2 * i][place], weight[i], step);
    }
    commit_copies();
  }

 private:
  __device__ void load_one(uint4* to, const Bits* from, std::int64_t step) const {
    const std::int64_t at = step * kRowPieces + piece;
    if constexpr (kAligned) {
      copy_async(to, from && kPiece * at < k ? from + kPiece * at : nullptr);
    } else {
      *to = load_piece<false>(from, at, from ? k : 0);
    }
  }
};

// Adds what 16 numbers along k give. `row`, `output`: where the warp's part of the tile begins.
template <class Half, int kTile>
__device__ void add_depth(const uint4 (&in)[kTile][kRowPieces],
                          const uint4 (&weight)[kTile][kRowPieces], int row, int output, int half,
                          float (&sums)[kTile / 32][kWarpOutputs / 8][4]) {
  const int lane = threadIdx.x % kWarp;
  // Matrices of 8 x 8 in the order of the fragments: of A the rows first, of B the two along k.
  const int a_row = row + lane % 16, a_place = piece_place(a_row, 2 * half + lane / 16);
  const int b_row = output + lane % 8 + lane / 16 * 8;
  const int b_place = piece_place(b_row, 2 * half + lane / 8 % 2);
  unsigned a[kTile / 32][4], b[kWarpOutputs / 16][4];
  QAQ_UNROLL
  for (int i = 0; i < kTile / 32; ++i) load_matrices<false>(a[i], &in[a_row + 16 * i][a_place]);
  QAQ_UNROLL
  for (int j = 0; j < kWarpOutputs / 16; ++j) {
    load_matrices<false>(b[j], &weight[b_row + 16 * j][b_place]);
  }
  QAQ_UNROLL
  for (int i = 0; i < kTile / 32; ++i) {
    QAQ_UNROLL
    for (int j = 0; j < kWarpOutputs / 8; ++j) {
      const unsigned column[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
      multiply_add<Half>(sums[i][j], a[i], column);
    }
  }
}

// Two neighbouring outputs of a row, the first of an even number.
__device__ void finish_pair(const HalfLinearCall& call, std::int64_t row, std::int64_t output,
                            float first, float second, bool in_pairs) {
  if (row >= call.n_rows || output >= call.n) return;
  if (!in_pairs) {
    finish(call, row, output, first);
    if (output + 1 < call.n) finish(call, row, output + 1, second);
    return;
  }
  float2& to = *reinterpret_cast<float2*>(call.out + row * call.n + output);
  const float2 before = call.accumulate ? to : make_float2(0, 0);
  to = make_float2(finished(call, output, first, before.x),
                   finished(call, output + 1, second, before.y));
}

// resources: registers 128, shared 49152, threads 256, blocks 2
template <class Half, int kTile, bool kAligned>
__global__ void __launch_bounds__(2 * kTile, 256 / kTile) gemm_mma(HalfLinearCall call) {
  TileShared<kTile>& s = block_shared<TileShared<kTile>>();
  // Rows vary fastest: blocks that run together share their weights.
  const std::int64_t n_row_tiles = (call.n_rows + kTile - 1) / kTile;
  const std::int64_t first_row = blockIdx.x % n_row_tiles * kTile;
  const std::int64_t first_output = blockIdx.x / n_row_tiles * kTile;
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  const int warp_row = warp % 2 * (kTile / 2), warp_output = warp / 2 * kWarpOutputs;

  const Loader<kTile, kAligned> loader(call, first_row, first_output);
  const std::int64_t n_steps = (call.k + kDepth - 1) / kDepth;
  constexpr int kStages = TileShared<kTile>::kStages;
  for (int stage = 0; stage < kStages - 1; ++stage) loader.load(s, stage, stage);
  float sums[kTile / 32][kWarpOutputs / 8][4] = {};
  int stage = 0;
  for (std::int64_t step = 0; step < n_steps; ++step) {
    wait_copies<kStages - 2>();
    __syncthreads();  // the stage is there for all, and all have read the one before it
    loader.load(s, stage == 0 ? kStages - 1 : stage - 1, step + kStages - 1);
    QAQ_UNROLL
    for (int half = 0; half < kDepth / 16; ++half) {
      add_depth<Half, kTile>(s.in[stage], s.weight[stage], warp_row, warp_output, half, sums);
    }
    stage = stage == kStages - 1 ? 0 : stage + 1;
  }
  wait_copies<0>();  // what was asked for behind the end: zeros, but a block waits for its copies

  const bool in_pairs = call.n % 2 == 0 && reinterpret_cast<std::uintptr_t>(call.out) % 8 == 0;
  QAQ_UNROLL
  for (int i = 0; i < kTile / 32; ++i) {
    QAQ_UNROLL
    for (int j = 0; j < kWarpOutputs / 8; ++j) {
      const std::int64_t row = first_row + warp_row + 16 * i + lane / 4;
      const std::int64_t output = first_output + warp_output + 8 * j + lane % 4 * 2;
      finish_pair(call, row, output, sums[i][j][0], sums[i][j][1], in_pairs);
      finish_pair(call, row + 8, output, sums[i][j][2], sums[i][j][3], in_pairs);
    }
  }
}

template <class Half, int kRows, bool kAligned>
cudaError_t launch_gemv(const HalfLinearCall& call, cudaStream_t stream) {
  constexpr int kOutputs = FewShape<kRows>::kBlockOutputs;
  const std::int64_t n_blocks = (call.n + kOutputs - 1) / kOutputs;
  return launch(gemv<Half, kRows, kAligned>, static_cast<unsigned>(n_blocks), kFewThreads, 0,
                stream, call);
}

template <class Half>
cudaError_t launch_few_rows(const HalfLinearCall& call, bool aligned, cudaStream_t stream) {
  if (!aligned) return launch_gemv<Half, kFewHalfRows, false>(call, stream);
  if (call.n_rows == 1) return launch_gemv<Half, 1, true>(call, stream);
  if (call.n_rows == 2) return launch_gemv<Half, 2, true>(call, stream);
  if (call.n_rows <= 4) return launch_gemv<Half, 4, true>(call, stream);
  return launch_gemv<Half, kFewHalfRows, true>(call, stream);
}

std::int64_t n_tiles(const HalfLinearCall& call, int tile) {
  return ((call.n_rows + tile - 1) / tile) * ((call.n + tile - 1) / tile);
}

template <class Half, int kTile, bool kAligned>
cudaError_t launch_tiles(const HalfLinearCall& call, cudaStream_t stream) {
  return launch(gemm_mma<Half, kTile, kAligned>, static_cast<unsigned>(n_tiles(call, kTile)),
                2 * kTile, 0, stream, call);
}

// Fewer large tiles than this leave multiprocessors of a large card without work.
constexpr std::int64_t kEnoughTiles = 128;

HalfLinearPath path_of(const HalfLinearCall& call) {
  if (call.path != HalfLinearPath::by_size) return call.path;
  if (call.n_rows <= kFewHalfRows) return HalfLinearPath::few_rows;
  return n_tiles(call, 128) < kEnoughTiles ? HalfLinearPath::tile_64 : HalfLinearPath::tile_128;
}

// Rows that allow no 16-byte accesses have one kernel of either kind, right and slow.
template <class Half>
cudaError_t launch_type(const HalfLinearCall& call, cudaStream_t stream) {
  const bool aligned = call.k % kPiece == 0 && in_whole_quads(0, {call.in, call.weight});
  const HalfLinearPath path = path_of(call);
  if (path == HalfLinearPath::few_rows) return launch_few_rows<Half>(call, aligned, stream);
  if (!aligned) return launch_tiles<Half, 64, false>(call, stream);
  return path == HalfLinearPath::tile_64 ? launch_tiles<Half, 64, true>(call, stream)
                                         : launch_tiles<Half, 128, true>(call, stream);
}

}  // namespace

cudaError_t half_linear(const HalfLinearCall& call, cudaStream_t stream) {
  if (call.n_rows == 0 || call.n == 0) return cudaSuccess;
  if (call.path == HalfLinearPath::few_rows && call.n_rows > kFewHalfRows)
    return cudaErrorInvalidValue;
  if (call.dtype == DType::f16) return launch_type<__half>(call, stream);
  if (call.dtype == DType::bf16) return launch_type<__nv_bfloat16>(call, stream);
  return cudaErrorInvalidValue;
}

}  // namespace qaq::cuda
