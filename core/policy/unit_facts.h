#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/policy/bit_choice.h"
#include "core/policy/cache_policy.h"

namespace qaq {

/// The facts of every unit of a cache. What the view does not have is 0 (`q_norm` apart, which is
/// `fixed_q_norm` then). Of `block_size` tokens each has the largest importance. The view's arrays
/// outlive it.
class UnitFactsTable {
 public:
  UnitFactsTable(const PolicyView& view, bool symmetric, float fixed_q_norm,
                 std::int64_t block_size = 1);

  std::size_t size() const { return stats_.size(); }
  UnitFacts operator[](std::size_t unit) const;

 private:
  std::span<const UnitStats> stats_;
  std::span<const float> errors_;
  std::int64_t units_per_token_, n_tokens_;
  bool symmetric_;
  float fixed_q_norm_;
  std::vector<float> importance_, distance_;  // (n_units) or empty
  std::vector<float> q_norm_, window_;        // (units_per_token) or empty
};

}  // namespace qaq
