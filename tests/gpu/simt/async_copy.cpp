#include "tests/gpu/simt/async_copy.h"

#include "tests/gpu/simt/block.h"

namespace simt {

void queue_copy(void* to, const void* from, Site site) {
  const auto misaligned = [](const void* p) {
    return reinterpret_cast<std::uintptr_t>(p) % kAsyncBytes != 0;
  };
  if (misaligned(to) || misaligned(from)) fail("cp.async of a misaligned address", site);
  Thread& me = *block().current;
  me.copies.push_back({to, from, me.n_copy_groups});
}

void commit_copies() { ++block().current->n_copy_groups; }

bool next_copy(unsigned n_later, AsyncCopy& copy) {
  Thread& me = *block().current;
  if (me.first_copy == me.copies.size()) {
    me.copies.clear();
    me.first_copy = 0;
    return false;
  }
  copy = me.copies[me.first_copy];
  if (copy.group + n_later >= me.n_copy_groups) return false;
  ++me.first_copy;
  return true;
}

}  // namespace simt
