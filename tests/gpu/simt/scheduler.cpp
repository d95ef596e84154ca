// Runs the blocks of a launch one after another, and the threads of a block by turns.
#include "tests/gpu/simt/scheduler.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "tests/gpu/simt/block.h"

uint3 threadIdx{}, blockIdx{};
dim3 blockDim, gridDim;

namespace simt {
namespace {

constexpr unsigned kThreadsInReport = 4;

// What the thread sanitizer may take for an ordering of the program and its launch. Two objects:
// with one, a thread would seem to start after every thread that happened to end before. Nothing
// orders one block after another.
std::uint64_t launch_start = 0, launch_end = 0;

Thread* next_runnable(unsigned from) {
  Block& b = block();
  for (unsigned i = 0; i < b.n_threads; ++i) {
    Thread& thread = b.thread(b.order[(from + i) % b.n_threads].thread);
    if (!thread.done && thread.call.op == Op::kNone) return &thread;
  }
  return nullptr;
}

[[noreturn]] void abandon() {
  Block& b = block();
  Thread& me = *std::exchange(b.current, nullptr);
  b.failed = true;
  switch_to(me, b.program);
  std::abort();
}

[[noreturn]] void report_deadlock() {
  Block& b = block();
  b.report = "deadlock";
  unsigned shown = 0;
  for (unsigned t = 0; t < b.n_threads && shown < kThreadsInReport; ++t) {
    const Thread& thread = b.thread(t);
    if (thread.done) continue;
    b.report += shown++ == 0 ? ": " : "; ";
    b.report +=
        who(thread) + " waits in " + name_of(thread.call.op) + " at " + where(thread.call.site);
    if (thread.call.op == Op::kBlock) continue;
    char mask[16];
    std::snprintf(mask, sizeof mask, "%08x", thread.call.mask);
    b.report += std::string(" for lanes ") + mask;
  }
  abandon();
}

void finish_thread() {
  Block& b = block();
  Thread& me = *b.current;
  me.done = true;
  --b.n_live;
  release(&launch_end);
  if (b.n_live == 0) {
    b.current = nullptr;
    switch_to(me, b.program);
    return;
  }
  // Those that have exited are not waited for at the block's barrier.
  if (b.n_at_barrier == b.n_live) release_barrier();
  yield();
}

void thread_main() {
  entered();
  for (;;) {
    threadIdx = block().current->index;
    acquire(&launch_start);
    (*block().body)();
    finish_thread();
  }
}

void set_up_threads(const Launch& launch) {
  Block& b = block();
  const dim3 shape = launch.block;
  b.n_threads = shape.x * shape.y * shape.z;
  b.warps.assign((b.n_threads + kWarpSize - 1) / kWarpSize, {});
  b.order.resize(b.n_threads);
  b.place_of.resize(b.n_threads);
  for (unsigned t = 0; t < b.n_threads; ++t) {
    if (t >= b.threads.size()) {
      b.threads.push_back(std::make_unique<Thread>());
      restart(*b.threads.back(), thread_main);
    }
    Thread& thread = b.thread(t);
    thread.number = t;
    thread.index = {t % shape.x, t / shape.x % shape.y, t / (shape.x * shape.y)};
  }
}

/// The order in which blocks run: any is legal.
std::vector<Slot> block_order(std::size_t n_blocks) {
  Block& b = block();
  std::vector<Slot> order(n_blocks);
  for (std::size_t i = 0; i < n_blocks; ++i) {
    const std::size_t from_back = n_blocks - 1 - i;
    order[i].thread = static_cast<unsigned>(b.schedule == Schedule::kReverse ? from_back : i);
  }
  if (b.schedule == Schedule::kRandom) {
    for (std::size_t i = n_blocks; i > 1; --i) std::swap(order[i - 1], order[b.random.below(i)]);
  }
  return order;
}

void start_schedule() {
  Block& b = block();
  b.n_live = b.n_threads;
  b.n_at_barrier = b.n_votes = b.barriers = 0;
  b.sync_objects.restart();
  for (void*& sync : b.barrier_sync) sync = b.sync_objects.next();
  b.fixed_sync = b.sync_objects.next();
  for (unsigned t = 0; t < b.n_threads; ++t) {
    Thread& thread = b.thread(t);
    thread.done = false;
    thread.call.op = Op::kNone;
    thread.copies.clear();
    thread.first_copy = 0;
    thread.n_copy_groups = 0;
    const unsigned place = b.schedule == Schedule::kReverse ? b.n_threads - 1 - t : t;
    b.order[place].thread = t;
    b.place_of[t].thread = place;
  }
  reorder();
}

void run_block(std::size_t dynamic_bytes) {
  Block& b = block();
  begin_shared_memory(dynamic_bytes);
  start_schedule();
  release(&launch_start);
  b.current = &b.thread(b.order[0].thread);
  ++b.n_switches;
  switch_to(b.program, *b.current);
  if (!end_shared_memory() && !b.failed) {
    b.failed = true;
    b.report = "shared memory written past its end in a block of " + std::to_string(b.n_threads) +
               " threads";
  }
}

/// After a failure threads stand in the middle of the kernel. Each gets a new start.
void restart_threads() {
  Block& b = block();
  for (auto& thread : b.threads) {
    release_for(*thread, b.program, &launch_end);
    thread->done = true;
    thread->call.op = Op::kNone;
    restart(*thread, thread_main);
  }
}

}  // namespace

Block& block() {
  // Never destroyed: other static objects may free memory through the shim at exit.
  static Block& instance = *new Block;
  return instance;
}

void set_schedule(Schedule schedule, std::uint64_t seed) {
  block().schedule = schedule;
  block().random = Random(seed);
}

std::string last_report() { return block().report; }
std::uint64_t switches() { return block().n_switches; }
unsigned lane() { return block().current->number % kWarpSize; }

void reorder() {
  Block& b = block();
  if (b.schedule != Schedule::kRandom) return;
  for (unsigned i = b.n_threads; i > 1; --i) {
    std::swap(b.order[i - 1], b.order[b.random.below(i)]);
  }
  for (unsigned i = 0; i < b.n_threads; ++i) b.place_of[b.order[i].thread].thread = i;
}

void yield() {
  Block& b = block();
  Thread& me = *b.current;
  Thread* next = next_runnable(b.place_of[me.number].thread + 1);
  if (!next) report_deadlock();
  if (next == &me) return;
  b.current = next;
  ++b.n_switches;
  switch_to(me, *next);
  threadIdx = me.index;
}

void fail(std::string what, Site site) {
  Block& b = block();
  b.report = std::move(what);
  b.report += " at " + where(site) + ", " + who(*b.current);
  // The thread is left behind as it stands: what it owns would leak.
  std::string().swap(what);
  abandon();
}

void thread_fence() {
  // More than a fence gives: all fences of a launch count as one place that threads pass in turn.
  static std::uint64_t fence = 0;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  release(&fence);
  acquire(&fence);
}

cudaError_t run(const Launch& launch) {
  Block& b = block();
  b.report.clear();
  b.failed = false;
  b.body = &launch.body;
  blockDim = launch.block;
  gridDim = launch.grid;
  adopt_this_thread(b.program);
  set_up_threads(launch);
  const dim3 grid = launch.grid;
  for (const Slot& slot : block_order(std::size_t{grid.x} * grid.y * grid.z)) {
    const unsigned k = slot.thread;
    blockIdx = {k % grid.x, k / grid.x % grid.y, k / grid.x / grid.y};
    run_block(launch.shared_bytes);
    if (b.failed) break;
  }
  if (b.failed) restart_threads();
  acquire(&launch_end);
  free_retired_memory();
  return b.failed ? cudaErrorLaunchFailure : cudaSuccess;
}

std::string where(const Site& site) {
  const char* file = site.file_name();
  if (const char* slash = std::strrchr(file, '/')) file = slash + 1;
  return std::string(file) + ":" + std::to_string(site.line());
}

std::string who(const Thread& thread) {
  return "block (" + std::to_string(blockIdx.x) + "," + std::to_string(blockIdx.y) + "," +
         std::to_string(blockIdx.z) + ") thread " + std::to_string(thread.number);
}

const char* name_of(Op op) {
  switch (op) {
    case Op::kBlock:
      return "__syncthreads";
    case Op::kWarp:
      return "__syncwarp";
    case Op::kShuffle:
      return "shuffle";
    case Op::kVote:
      return "vote";
    case Op::kNone:
      break;
  }
  return "nothing";
}

}  // namespace simt
