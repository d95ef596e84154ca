// Units of one row: a thread a unit, in their order, so that stats and bits are read and written
// side by side; a token's importance lies n_kv_heads strides apart and comes from the L2 cache
// after the first of eight tokens. Units of more rows: a warp a unit, whose lanes take the largest
// of their rows. Bytes a row: 4 of importance (and 4 of distance); a unit: 28 of stats, 1 or 2 of
// bits, and with changes 1 more and 8 of n_below; the floor.
#include "gpu/cuda/kernels/plan_bits.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;

// The largest of the numbers that a unit's rows have, of which each lane looks at some; at least 0.
template <int kLanes>
__device__ float largest(const float* numbers, std::int64_t n_rows, std::int64_t row_stride) {
  float most = 0;
  for (std::int64_t row = threadIdx.x % kLanes; row < n_rows; row += kLanes) {
    const float number = numbers[row * row_stride];
    most = most < number ? number : most;
  }
  for (int distance = kLanes / 2; distance > 0; distance /= 2) {
    most = fmaxf(most, __shfl_xor_sync(~0u, most, distance));
  }
  return most;
}

// Of unit `in_token` of a token.
template <int kLanes>
__device__ UnitFacts facts_of(const PlanBitsCall& call, std::int64_t token, std::int64_t in_token) {
  const std::int64_t n_rows = call.n_layers * call.n_kv_heads / call.units_per_token;
  const std::int64_t first_row = in_token * n_rows;
  UnitFacts facts;
  facts.token = token;
  facts.range = call.stats[token * call.units_per_token + in_token].range(call.symmetric);
  const std::int64_t place = first_row * call.stride + facts.token;
  facts.q_norm = call.fixed_q_norm;
  if (call.importance != nullptr) {
    facts.importance = largest<kLanes>(call.importance + place, n_rows, call.stride);
  }
  if (call.distance != nullptr) {
    facts.distance = largest<kLanes>(call.distance + place, n_rows, call.stride);
  }
  if (call.q_norm != nullptr) facts.q_norm = largest<kLanes>(call.q_norm + first_row, n_rows, 1);
  return facts;
}

// What becomes of a unit that the plan before knew.
__device__ UnitChange change_of(const PlanBitsCall& call, std::int64_t unit, int wanted) {
  const int held = call.n_bits[unit];
  int n_below = 0;
  if (wanted < held) n_below = 1 + (call.n_below != nullptr ? call.n_below[unit] : 0);
  const bool demoted = n_below >= call.demote_patience;
  if (call.n_below != nullptr) call.n_below[unit] = demoted ? 0 : n_below;
  if (demoted) return UnitChange::demoted;
  return wanted > held + call.promote_hysteresis ? UnitChange::promoted : UnitChange::kept;
}

__device__ UnitChange take_first(const PlanBitsCall& call, std::int64_t unit) {
  if (call.n_below != nullptr) call.n_below[unit] = 0;
  return UnitChange::first;
}

// resources: registers 40, shared 0, threads 256, blocks 6
template <int kLanes>
__global__ void __launch_bounds__(kThreads) plan_units(PlanBitsCall call) {
  const PlanStep& step = *call.step;
  const std::int64_t n_units = step.n_tokens * call.n_units;
  const std::int64_t nth =
      (static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x) / kLanes;
  if (n_units == 0) return;
  // Behind the last unit the last one is looked at again and left alone.
  const std::int64_t token = min(nth, n_units - 1) / call.n_units;
  const std::int64_t in_token = call.first_unit + min(nth, n_units - 1) % call.n_units;
  const std::int64_t unit = token * call.units_per_token + in_token;
  const UnitFacts facts = facts_of<kLanes>(call, token, in_token);
  const int wanted = step.rule.choose(facts).n_bits;
  const bool mine = nth < n_units && threadIdx.x % kLanes == 0;

  UnitChange change = UnitChange::kept;
  if (mine && call.changes != nullptr) {
    change = facts.token < step.n_held ? change_of(call, unit, wanted) : take_first(call, unit);
    call.changes[unit] = change;
  }
  if (mine && (call.changes == nullptr || change != UnitChange::kept)) {
    call.n_bits[unit] = static_cast<std::uint8_t>(wanted);
  }
  if (call.changes == nullptr) return;
  const int n_changed = __syncthreads_count(change != UnitChange::kept);
  const int n_promoted = __syncthreads_count(change == UnitChange::promoted);
  if (threadIdx.x != 0 || n_changed == 0) return;
  atomicAdd(&call.counts->promotions, static_cast<unsigned long long>(n_promoted));
  atomicAdd(&call.counts->demotions, static_cast<unsigned long long>(n_changed - n_promoted));
}

}  // namespace

cudaError_t plan_bits(const PlanBitsCall& asked, cudaStream_t stream) {
  PlanBitsCall call = asked;
  if (call.n_units < 0) call.n_units = call.units_per_token - call.first_unit;
  const std::int64_t n_rows = call.n_layers * call.n_kv_heads;
  if (call.max_tokens == 0 || n_rows == 0 || call.n_units == 0) return cudaSuccess;
  const bool waits = call.changes != nullptr && call.demote_patience > 1;
  if (call.measured || call.units_per_token <= 0 || n_rows % call.units_per_token != 0 ||
      call.first_unit < 0 || call.n_units < 0 ||
      call.first_unit + call.n_units > call.units_per_token || (waits && call.n_below == nullptr)) {
    return cudaErrorInvalidValue;
  }
  const int n_lanes = call.units_per_token == n_rows ? 1 : 32;
  const std::int64_t n_threads = call.max_tokens * call.n_units * n_lanes;
  return launch(n_lanes == 1 ? plan_units<1> : plan_units<32>,
                static_cast<unsigned>((n_threads + kThreads - 1) / kThreads), kThreads, 0, stream,
                call);
}

}  // namespace qaq::cuda
