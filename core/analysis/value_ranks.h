#pragma once

#include <cstdint>
#include <vector>

namespace qaq {

/// The order of many numbers in little memory, so that a whole cache needs no sorted copy: what
/// stands at a rank is known to 1/2048 of its size, and exactly where few numbers lie near it.
class ValueRanks {
 public:
  /// Gathers numbers. Holds 16 MB while it does.
  class Counter {
   public:
    Counter();
    /// `x` is finite.
    void add(float x);
    ValueRanks finish() const;

   private:
    friend class ValueRanks;
    struct Bin {
      float least = 0, most = 0;
      std::int64_t count = 0;
    };
    std::vector<Bin> bins_;  // in order of the numbers
  };

  ValueRanks() = default;

  std::int64_t n() const { return bins_.empty() ? 0 : bins_.back().before + bins_.back().count; }
  /// The rank-th smallest, 1-based, of 1 .. n().
  float at(std::int64_t rank) const;
  /// How many are at most x.
  std::int64_t n_up_to(double x) const;

 private:
  struct Bin {
    float least = 0, most = 0;
    std::int64_t before = 0, count = 0;
  };
  std::vector<Bin> bins_;  // none is empty
};

}  // namespace qaq
