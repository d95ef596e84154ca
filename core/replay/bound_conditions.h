#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/policy/qaq_policy.h"
#include "core/replay/cache_replay.h"

namespace qaq {

/// What a promise rests on (section 4.2 of the mathematics, (i) to (vi)).
enum class BoundCondition {
  query_norm,   ///< (i) the query is no longer than was assumed
  persistence,  ///< (ii) no score is larger than the window's
  bits_max,     ///< (iii) no unit was denied bits by n_bits_max
  first_order,  ///< (iv) no logit's error has a variance above v_max
  few_bits,     ///< (v) every unit has 3 bits or more, below which rounding errors are correlated
  horizon       ///< (vi) the row sees no more keys than were counted
};
inline constexpr std::size_t kBoundConditions = 6;
inline constexpr std::array<std::string_view, kBoundConditions> kBoundConditionNames{
    "query_norm", "persistence", "bits_max", "first_order", "few_bits", "horizon"};

/// One bit a condition: those that a row breaks.
using BrokenConditions = std::bitset<kBoundConditions>;

/// One planned cache with everything that its promise rests on.
struct PromisingCache {
  PlannedCache planned;
  QaqSideParams params;
  std::vector<float> steps;           ///< (n_units), distance between codes
  std::vector<float> importance;      ///< (n_units), S_u; empty where bits do not read it
  std::vector<std::uint8_t> starved;  ///< (n_units), 1: fewer bits than its error asks for
  std::vector<float> q_norm;          ///< (units_per_token), keys only

  bool quantized() const { return !planned.plan.keeps_all(); }
  bool promises() const { return quantized() && params.use_attentions; }
  /// Which conditions this cache's promise rests on.
  BrokenConditions relevant() const;
};

PromisingCache promising_cache(const QaqPolicy& policy, const PolicyView& view);

/// A query row: its place, its squared norm and its captured scores (at least position + 1).
struct BoundRow {
  std::int64_t layer = 0;  ///< index among captured layers
  std::int64_t kv_head = 0;
  std::int64_t first_key = 0;  ///< the first key that it sees
  std::int64_t position = 0;
  double squared_norm = 0;
  std::span<const float> scores;
};

/// Which of the conditions of a cache's promise the row breaks.
BrokenConditions broken_conditions(const PromisingCache& cache, const BoundRow& row);

}  // namespace qaq
