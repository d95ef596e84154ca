// Memory as a GPU's kernels must expect it: what nobody wrote reads as NaN, and what lies behind
// the end belongs to somebody else.
#pragma once

#include <cstddef>

namespace simt {

/// Full of NaN (as integers: -1), aligned to 256 bytes, with a guard behind the last byte that the
/// address sanitizer watches; null where there is none to be had.
void* guarded_alloc(std::size_t bytes);
/// Whether nobody wrote into the guard, which the address sanitizer would have said at once.
bool guard_intact(const void* memory, std::size_t bytes);
void guarded_free(void* memory, std::size_t bytes);

}  // namespace simt
