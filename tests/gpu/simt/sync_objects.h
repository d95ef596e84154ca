#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "tests/gpu/simt/sanitizers.h"
#include "tests/gpu/simt/simt.h"

namespace simt {

/// Addresses that stand for an ordering each, for the thread sanitizer; null without it. A barrier
/// that used one object twice would order the fast thread's next step before the slow thread's
/// present one, and hide a race between the two.
class SyncObjects {
 public:
  /// Before each block: forgets all orderings. Memory that is freed is what makes the sanitizer
  /// forget, and the sanitizer takes an allocation for a write, so fibers do neither.
  void restart() {
    if (!thread_sanitizer()) return;
    // As many as the last block used: each costs the sanitizer time.
    n_cells_ = std::clamp(std::bit_ceil(n_used_), kFewest, kMost);
    n_used_ = 0;
    cells_.reset();
    // Not initialised: that would be a write, too.
    cells_ = std::make_unique_for_overwrite<Cell[]>(n_cells_);
  }

  /// When a block has used all, they come again: some of its races are not seen then.
  void* next() { return cells_ ? &cells_[n_used_++ % n_cells_] : nullptr; }

 private:
  static constexpr std::size_t kFewest = 256, kMost = 8192;
  struct Cell {
    std::uint64_t unused;
  };
  std::unique_ptr<Cell[]> cells_;
  std::size_t n_cells_ = 0;
  std::size_t n_used_ = 0;
};

}  // namespace simt
