// The block that runs: one at a time, so there is one of it. Only the shim's sources include this.
//
// Sanitized code must not see the scheduler's own reads and writes, so this uses no template of the
// standard library on a type that a kernel's file could use as well: the linker might take the
// sanitized copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/gpu/simt/async_copy.h"
#include "tests/gpu/simt/fiber.h"
#include "tests/gpu/simt/random.h"
#include "tests/gpu/simt/scheduler.h"
#include "tests/gpu/simt/simt.h"
#include "tests/gpu/simt/sync_objects.h"

namespace simt {

struct Thread : Fiber {
  uint3 index{};
  unsigned number = 0;
  bool done = true;
  Collective call{Op::kNone, 0, {}};  ///< what it waits in
  std::uint64_t deposit = 0;
  void* sync = nullptr;  ///< of `call`
  std::vector<AsyncCopy> copies{};  ///< from first_copy on: not made yet
  std::size_t first_copy = 0;
  unsigned n_copy_groups = 0;  ///< committed
};

struct Warp {
  std::uint64_t deposits[kWarpSize] = {};
};

/// A place in the schedule.
struct Slot {
  unsigned thread;
};

struct SharedMemory {
  void* memory;
  std::size_t bytes;
};

struct Block {
  std::vector<std::unique_ptr<Thread>> threads;  ///< as many as the largest block had
  std::vector<Warp> warps;
  std::vector<Slot> order;     ///< by place
  std::vector<Slot> place_of;  ///< by thread
  Context program;             ///< who called run()
  Thread* current = nullptr;
  const std::function<void()>* body = nullptr;
  unsigned n_threads = 0;
  unsigned n_live = 0;

  unsigned n_at_barrier = 0;
  unsigned n_votes = 0;
  unsigned barriers = 0;       ///< passed so far
  void* barrier_sync[2] = {};  ///< of even and of odd barriers
  unsigned passed_votes = 0;   ///< of the last barrier
  unsigned passed_threads = 0;

  SharedMemory dynamic{};
  SharedMemory fixed{};
  void* fixed_sync = nullptr;
  std::vector<SharedMemory> retired;  ///< of the launch's earlier blocks

  SyncObjects sync_objects;
  Schedule schedule = Schedule::kForward;
  Random random;
  std::uint64_t n_switches = 0;
  std::string report;
  bool failed = false;

  Thread& thread(std::size_t i) { return *threads[i]; }
};

Block& block();

/// Lets others run until the calling thread waits no more.
void yield();
/// Draws a new order of threads under the random schedule.
void reorder();
/// Lets all that wait at the block's barrier go on.
void release_barrier();

/// Shared memory of the block that starts or has ended; false where a guard was overwritten.
void begin_shared_memory(std::size_t dynamic_bytes);
bool end_shared_memory();
void free_retired_memory();

std::string where(const Site& site);
std::string who(const Thread& thread);
const char* name_of(Op op);

}  // namespace simt
