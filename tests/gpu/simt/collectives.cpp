// What threads of a block do together, and the checks of how they do it.
#include "tests/gpu/simt/collectives.h"

#include <cstring>
#include <utility>

#include "tests/gpu/simt/block.h"

namespace simt {
namespace {

bool same_place(const Site& a, const Site& b) {
  if (a.line() != b.line()) return false;
  // Mostly one string. The thread sanitizer watches strcmp(), which costs.
  return a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0;
}

bool waits_in_warp(const Thread& thread) {
  return thread.call.op != Op::kNone && thread.call.op != Op::kBlock;
}

void check_barrier(Site site) {
  Block& b = block();
  for (unsigned t = 0; t < b.n_threads; ++t) {
    const Thread& other = b.thread(t);
    if (other.call.op != Op::kBlock) continue;
    if (!same_place(other.call.site, site)) {
      std::string what = "divergent __syncthreads: thread " + std::to_string(t) + " waits at " +
                         where(other.call.site) + ", another arrives";
      fail(std::move(what), site);
    }
    return;  // all that wait, wait at one place
  }
}

void check_partner(const Collective& call, unsigned lane_number, const Thread& other) {
  if (other.call.op == call.op && other.call.mask == call.mask &&
      same_place(other.call.site, call.site)) {
    return;
  }
  std::string what = "lanes of one warp disagree: lane " + std::to_string(lane_number) + " is in " +
                     name_of(other.call.op) + " at " + where(other.call.site) + ", another in " +
                     name_of(call.op);
  fail(std::move(what), call.site);
}

/// Whether the calling thread is the last of its mask to arrive. Lanes that arrived before have the
/// object of this exchange; the first draws one.
bool arrive(Thread& me, unsigned first_of_warp) {
  Block& b = block();
  const Collective& call = me.call;
  bool complete = true;
  me.sync = nullptr;
  for (unsigned i = 0; i < kWarpSize; ++i) {
    if ((call.mask >> i & 1u) == 0) continue;
    const unsigned t = first_of_warp + i;
    if (t >= b.n_threads || b.thread(t).done) {
      std::string what = std::string(name_of(call.op)) + " waits for lane " + std::to_string(i) +
                         ", which has exited or never was";
      fail(std::move(what), call.site);
    }
    const Thread& other = b.thread(t);
    if (&other == &me) continue;
    if (!waits_in_warp(other)) {
      complete = false;
      continue;
    }
    check_partner(call, i, other);
    me.sync = other.sync;
  }
  if (!me.sync) me.sync = b.sync_objects.next();
  return complete;
}

void deliver(const Thread& last, unsigned first_of_warp) {
  Block& b = block();
  const unsigned mask = last.call.mask;
  for (unsigned i = 0; i < kWarpSize; ++i) {
    if ((mask >> i & 1u) == 0) continue;
    Thread& thread = b.thread(first_of_warp + i);
    b.warps[thread.number / kWarpSize].deposits[i] = thread.deposit;
    thread.call.op = Op::kNone;
  }
}

}  // namespace

void release_barrier() {
  Block& b = block();
  for (unsigned t = 0; t < b.n_threads; ++t) {
    Thread& thread = b.thread(t);
    if (thread.call.op == Op::kBlock) thread.call.op = Op::kNone;
  }
  b.passed_votes = b.n_votes;
  b.passed_threads = b.n_at_barrier;
  b.n_at_barrier = b.n_votes = 0;
  ++b.barriers;
  reorder();
}

void sync_threads(Site site) {
  Block& b = block();
  Thread& me = *b.current;
  if (b.n_at_barrier != 0) check_barrier(site);
  me.call = {Op::kBlock, 0, site};
  me.sync = b.barrier_sync[b.barriers % 2];
  release(me.sync);
  if (++b.n_at_barrier == b.n_live) release_barrier();
  if (me.call.op != Op::kNone || b.schedule == Schedule::kRandom) yield();
  acquire(me.sync);
}

int sync_threads_vote(bool mine, Vote vote, Site site) {
  Block& b = block();
  b.n_votes += mine ? 1 : 0;
  sync_threads(site);
  if (vote == Vote::kAll) return b.passed_votes == b.passed_threads;
  if (vote == Vote::kAny) return b.passed_votes != 0;
  return static_cast<int>(b.passed_votes);
}

const std::uint64_t* exchange(const Collective& call, std::uint64_t mine) {
  Thread& me = *block().current;
  const unsigned first_of_warp = me.number - lane();
  if ((call.mask >> lane() & 1u) == 0) {
    std::string what = name_of(call.op);
    fail(std::move(what += " whose mask leaves out the calling lane"), call.site);
  }
  me.call = call;
  me.deposit = mine;
  const bool last = arrive(me, first_of_warp);
  release(me.sync);
  if (last) deliver(me, first_of_warp);
  while (me.call.op != Op::kNone) yield();
  acquire(me.sync);
  return block().warps[me.number / kWarpSize].deposits;
}

void check_source(const Collective& call, unsigned source) {
  if ((call.mask >> source & 1u) == 0) {
    std::string what = "shuffle reads lane " + std::to_string(source);
    fail(std::move(what += ", which its mask leaves out"), call.site);
  }
}

}  // namespace simt
