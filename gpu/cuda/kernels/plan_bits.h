#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/policy/bit_choice.h"
#include "core/quant/unit_numbers.h"

namespace qaq::cuda {

/// What changes from plan to plan.
struct PlanStep {
  BitRule rule = {};
  std::int64_t n_tokens = 0;  ///< that are planned, T
  std::int64_t n_held = 0;    ///< of them, those that the plan before knew
};

/// What a plan makes of a unit.
enum class UnitChange : std::uint8_t {
  kept,      ///< its bits stay
  first,     ///< quantized for the first time
  demoted,   ///< fewer bits
  promoted,  ///< more bits
};

struct PlanCounts {
  unsigned long long promotions = 0;
  unsigned long long demotions = 0;  ///< those quantized for the first time among them
};

/// Bits of every unit of the first n_tokens tokens of one cache, or of those of some layers, equal
/// to core's: BitRule::choose() of the facts as UnitFactsTable has them. With `changes` units hold
/// bits from plan to plan, and whether one gets others is decided as core's StreamedCache::follow()
/// does.
struct PlanBitsCall {
  const PlanStep* step = nullptr;     ///< on the device
  const UnitStats* stats = nullptr;   ///< of all units, in core's numbering (UnitLayout)
  const float* importance = nullptr;  ///< (n_layers, n_kv_heads, stride), or null: 0
  const float* distance = nullptr;    ///< the same
  const float* q_norm = nullptr;      ///< (n_layers, n_kv_heads), or null: fixed_q_norm
  float fixed_q_norm = 0;
  bool symmetric = false;  ///< of the quantizer
  bool measured = false;   ///< of the rules at `step`; refused
  std::int64_t n_layers = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t stride = 0;
  std::int64_t units_per_token = 0;  ///< UnitLayout's: 1, n_layers or n_layers * n_kv_heads
  std::int64_t first_unit = 0;       ///< of each token the first that is planned
  std::int64_t n_units = -1;         ///< and how many; -1: all from there on
  std::int64_t max_tokens = 0;       ///< n_tokens never exceeds it: the launch is for so many

  std::uint8_t* n_bits = nullptr;   ///< of each unit; with `changes`: that it holds
  UnitChange* changes = nullptr;    ///< of each unit; null: n_bits are the plan's, whatever was
  std::int32_t* n_below = nullptr;  ///< of each unit, successive plans below what it holds; need
                                    ///< not be set; null where demote_patience is 1
  PlanCounts* counts = nullptr;     ///< added to, with `changes`
  int promote_hysteresis = 0;
  int demote_patience = 1;
};

/// Queues it. No tokens at most, or no units: nothing is launched. cudaErrorInvalidValue: a
/// measured rule, which reads a unit's errors at every number of bits and is planned on the host;
/// units that do not fit the shape; patience without n_below.
cudaError_t plan_bits(const PlanBitsCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
