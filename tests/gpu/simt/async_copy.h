// cp.async: a thread's copies from global to shared memory in groups. The shim makes a copy when
// the thread waits for its group and no sooner, so that a missing wait reads what was there before.
#pragma once

#include <cstring>

#include "tests/gpu/simt/scheduler.h"

namespace simt {

struct AsyncCopy {
  void* to;
  const void* from;  ///< null: zeros
  unsigned group;
};

constexpr std::size_t kAsyncBytes = 16;

/// Both addresses are multiples of 16.
void queue_copy(void* to, const void* from, Site site);
void commit_copies();
/// The next copy of all groups but the newest `n_later`; false: none is left.
bool next_copy(unsigned n_later, AsyncCopy& copy);

// In the kernel's own translation unit, so that sanitizers see the accesses.
inline void wait_copies(unsigned n_later) {
  AsyncCopy copy{};
  while (next_copy(n_later, copy)) {
    if (copy.from) {
      std::memcpy(copy.to, copy.from, kAsyncBytes);
    } else {
      std::memset(copy.to, 0, kAsyncBytes);
    }
  }
}

}  // namespace simt
