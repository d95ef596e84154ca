#pragma once

#include <cstddef>
#include <cstdint>

namespace simt {

/// Knuth's MMIX generator: the same orders for a seed on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed = 1) : state_(seed * 2654435761u + 1) {}

  /// 0 to n - 1.
  std::size_t below(std::size_t n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % n;
  }

 private:
  std::uint64_t state_;
};

}  // namespace simt
