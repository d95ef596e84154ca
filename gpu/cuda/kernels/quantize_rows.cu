// Sixteen lanes a row: lane l takes channels l, l + 16, ..., so that it makes sum l of core's
// sixteen, which are put together by halves as core does. Rows of one head follow each other, and
// a warp's loads and stores are whole pieces of 64 bytes. Method normal looks a value up in the
// codebook of its unit's bits, which stays in the L2 cache. Bytes: 8 a value, and of a row 29 of
// its unit and 8 of its sum; the floor.
#include "core/quant/unit_grid.h"
#include "gpu/cuda/kernels/quantize_rows.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kLanes = 16;  // of a row: core's kRowSums

// Values of a unit of method uniform.
class UniformUnit {
 public:
  __device__ UniformUnit(const QuantizeCall& call, const UnitStats& stats, int n_bits)
      : grid_(unit_grid(call.quantizer, stats, n_bits)) {}
  __device__ float kept(float x) const { return decode(grid_, encode(grid_, x)); }

 private:
  UniformGrid grid_;
};

// Of method normal: the centre of the first cell that reaches up to x.
class NormalUnit {
 public:
  __device__ NormalUnit(const QuantizeCall& call, const UnitStats& stats, int n_bits)
      : upper_(call.upper + (1 << n_bits) - 1),
        centre_(call.centre + (1 << n_bits) - 1),
        last_((1 << n_bits) - 1),
        mean_(call.quantizer.symmetric ? 0.0f
                                       : stored_scale(call.quantizer.store_scale, stats.mean)),
        deviation_(stored_scale(call.quantizer.store_scale, stats.deviation)) {}
  __device__ float kept(float x) const {
    if (!(deviation_ > 0)) return mean_;
    const float z = (x - mean_) / deviation_;
    int low = 0, high = last_;  // the last cell reaches up to infinity
    while (low < high) {
      const int middle = (low + high) / 2;
      if (upper_[middle] < z) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return centre_[low] * deviation_ + mean_;
  }

 private:
  const float* upper_;
  const float* centre_;
  int last_;
  float mean_;
  float deviation_;
};

// resources: registers 48, shared 0, threads 256, blocks 6
template <class Unit>
__global__ void __launch_bounds__(kThreads) quantize_layer_rows(QuantizeCall call) {
  const int lane = threadIdx.x % kLanes;
  const std::int64_t n_rows = call.n_kv_heads * call.n_tokens;
  const std::int64_t place =
      static_cast<std::int64_t>(blockIdx.x) * (kThreads / kLanes) + threadIdx.x / kLanes;
  // Behind the last row the last one is taken again and not written.
  const std::int64_t row = min(place, n_rows - 1);
  const bool there = place < n_rows;
  const std::int64_t head = row / call.n_tokens, token = row % call.n_tokens;
  const bool planned = token < call.prefix;
  const std::int64_t planned_row = head * call.prefix + token;
  const std::int64_t unit_index =
      min(token, call.prefix - 1) * call.units_per_token + (call.units_per_token > 1 ? head : 0);
  const UnitStats stats = call.stats[unit_index];
  const Unit unit(call, stats, call.n_bits[unit_index]);
  const int head_dim = static_cast<int>(call.head_dim), mark_bytes = (head_dim + 7) / 8;

  double sum = 0;
  for (int first = 0; first < call.stride; first += kLanes) {
    const int channel = first + lane;
    bool outlier = false;
    if (channel < call.stride) {
      const float x = call.in[row * call.stride + channel];
      float kept = x;
      if (planned && channel < head_dim) {
        outlier = stats.is_outlier(x);
        if (!outlier) kept = unit.kept(x);
        const auto error = static_cast<double>(kept - x);
        sum += error * error;
      }
      if (there) call.out[row * call.stride + channel] = kept;
    }
    // Two bytes of marks a row, channel 0 in the highest bit.
    const unsigned place_in_warp = threadIdx.x & 16u;
    const unsigned mark = outlier ? 0x8000u >> lane << place_in_warp : 0u;
    const unsigned marks = __reduce_add_sync(~0u, mark) >> place_in_warp;
    const int byte = first / 8 + lane;
    if (call.outliers && there && planned && lane < 2 && byte < mark_bytes) {
      call.outliers[planned_row * mark_bytes + byte] =
          static_cast<std::uint8_t>(marks >> (lane == 0 ? 8 : 0));
    }
  }
  for (int distance = kLanes / 2; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(~0u, sum, distance, kLanes);
  }
  if (lane == 0 && there && planned) call.errors[planned_row] = sum;
}

}  // namespace

cudaError_t quantize_rows(const QuantizeCall& call, cudaStream_t stream) {
  const std::int64_t n_rows = call.n_kv_heads * call.n_tokens;
  if (n_rows == 0) return cudaSuccess;
  if (call.prefix < 1) return cudaErrorInvalidValue;
  const auto kernel = call.quantizer.method == Method::normal ? quantize_layer_rows<NormalUnit>
                                                              : quantize_layer_rows<UniformUnit>;
  constexpr int kRows = kThreads / kLanes;
  return launch(kernel, static_cast<unsigned>((n_rows + kRows - 1) / kRows), kThreads, 0, stream,
                call);
}

}  // namespace qaq::cuda
