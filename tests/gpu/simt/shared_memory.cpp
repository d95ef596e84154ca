// A block's shared memory: its own, exactly as long as asked for, full of NaN.
#include <cstdlib>

#include "tests/gpu/simt/block.h"
#include "tests/gpu/simt/memory.h"

namespace simt {
namespace {

constexpr std::size_t kMaxStaticBytes = 48 * 1024;

SharedMemory allocate(std::size_t bytes) {
  SharedMemory shared{guarded_alloc(bytes), bytes};
  if (!shared.memory) std::abort();
  return shared;
}

/// Under the thread sanitizer memory is kept to the end of the launch: to free it earlier would
/// need an ordering of the blocks, which would hide what blocks do to each other.
bool retire(SharedMemory& shared) {
  if (!shared.memory) return true;
  const bool intact = guard_intact(shared.memory, shared.bytes);
  if (thread_sanitizer()) {
    block().retired.push_back(shared);
  } else {
    guarded_free(shared.memory, shared.bytes);
  }
  shared = {};
  return intact;
}

}  // namespace

void begin_shared_memory(std::size_t dynamic_bytes) {
  if (dynamic_bytes != 0) block().dynamic = allocate(dynamic_bytes);
}

bool end_shared_memory() {
  const bool dynamic_intact = retire(block().dynamic);
  return retire(block().fixed) && dynamic_intact;
}

void free_retired_memory() {
  for (const SharedMemory& shared : block().retired) guarded_free(shared.memory, shared.bytes);
  block().retired.clear();
}

void* static_shared(std::size_t bytes, Site site) {
  Block& b = block();
  if (bytes > kMaxStaticBytes) fail("more than 48 KiB of static shared memory", site);
  if (!b.fixed.memory) {
    b.fixed = allocate(bytes);
    release(b.fixed_sync);
  }
  if (bytes != b.fixed.bytes) fail("a kernel may have one block_shared struct", site);
  acquire(b.fixed_sync);
  return b.fixed.memory;
}

void* dynamic_shared(Site site) {
  if (!block().dynamic.memory) {
    fail("dynamic shared memory used, but launched with 0 bytes", site);
  }
  return block().dynamic.memory;
}

}  // namespace simt
