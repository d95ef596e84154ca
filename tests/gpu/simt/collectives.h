// Barriers, shuffles, votes and reductions, in CUDA's names. The last parameter of each is where
// the kernel calls it.
#pragma once

#include <cstring>
#include <type_traits>

#include "tests/gpu/simt/scheduler.h"

namespace simt {

template <class T>
std::uint64_t bits_of(T value) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

template <class T>
T value_of(std::uint64_t bits) {
  T value;
  std::memcpy(static_cast<void*>(&value), &bits, sizeof value);
  return value;
}

/// The lanes of the calling lane's segment of a shuffle.
struct Segment {
  Segment(int width, Site site) {
    if (width <= 0 || width > 32 || (width & (width - 1)) != 0) {
      fail("a shuffle's width must be a power of two up to 32", site);
    }
    first = static_cast<int>(lane()) & ~(width - 1);
    end = first + width;
  }
  int first;
  int end;
};

/// A source outside the segment gives the caller its own value, as CUDA does.
template <class T>
T shuffle(const Collective& call, T mine, int source, bool in_segment) {
  const std::uint64_t* all = exchange(call, bits_of(mine));
  if (!in_segment) return mine;
  check_source(call, static_cast<unsigned>(source));
  return value_of<T>(all[source]);
}

/// Folds the values of the mask's lanes, in the order of lanes.
template <class T, class Fold>
T reduce(const Collective& call, T mine, Fold fold) {
  const std::uint64_t* all = exchange(call, bits_of(mine));
  T result{};
  bool first = true;
  for (unsigned i = 0; i < kWarpSize; ++i) {
    if ((call.mask >> i & 1u) == 0) continue;
    result = first ? value_of<T>(all[i]) : fold(result, value_of<T>(all[i]));
    first = false;
  }
  return result;
}

}  // namespace simt

inline void __syncthreads(simt::Site site = simt::Site::current()) { simt::sync_threads(site); }
inline int __syncthreads_count(int predicate, simt::Site site = simt::Site::current()) {
  return simt::sync_threads_vote(predicate != 0, simt::Vote::kCount, site);
}
inline int __syncthreads_and(int predicate, simt::Site site = simt::Site::current()) {
  return simt::sync_threads_vote(predicate != 0, simt::Vote::kAll, site);
}
inline int __syncthreads_or(int predicate, simt::Site site = simt::Site::current()) {
  return simt::sync_threads_vote(predicate != 0, simt::Vote::kAny, site);
}
inline void __syncwarp(unsigned mask = ~0u, simt::Site site = simt::Site::current()) {
  simt::exchange({simt::Op::kWarp, mask, site}, 0);
}
inline void __threadfence() { simt::thread_fence(); }
inline void __threadfence_block() { simt::thread_fence(); }

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              simt::Site site = simt::Site::current()) {
  const simt::Segment segment(width, site);
  const int from = segment.first + (source & (width - 1));
  return simt::shuffle({simt::Op::kShuffle, mask, site}, value, from, true);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32,
                  simt::Site site = simt::Site::current()) {
  const simt::Segment segment(width, site);
  const int from = static_cast<int>(simt::lane()) ^ lane_mask;
  return simt::shuffle({simt::Op::kShuffle, mask, site}, value, from, from < segment.end);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                   simt::Site site = simt::Site::current()) {
  const simt::Segment segment(width, site);
  const int from = static_cast<int>(simt::lane() + delta);
  return simt::shuffle({simt::Op::kShuffle, mask, site}, value, from, from < segment.end);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                 simt::Site site = simt::Site::current()) {
  const simt::Segment segment(width, site);
  const int from = static_cast<int>(simt::lane()) - static_cast<int>(delta);
  return simt::shuffle({simt::Op::kShuffle, mask, site}, value, from, from >= segment.first);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              simt::Site site = simt::Site::current()) {
  const std::uint64_t* all =
      simt::exchange({simt::Op::kVote, mask, site}, static_cast<std::uint64_t>(predicate != 0));
  unsigned result = 0;
  for (unsigned i = 0; i < simt::kWarpSize; ++i) {
    if ((mask >> i & 1u) != 0) result |= static_cast<unsigned>(all[i]) << i;
  }
  return result;
}
inline int __any_sync(unsigned mask, int predicate, simt::Site site = simt::Site::current()) {
  return __ballot_sync(mask, predicate, site) != 0;
}
inline int __all_sync(unsigned mask, int predicate, simt::Site site = simt::Site::current()) {
  return __ballot_sync(mask, predicate, site) == mask;
}

template <class T>
requires std::is_integral_v<T> T __reduce_add_sync(unsigned mask, T value,
                                                   simt::Site site = simt::Site::current()) {
  const auto fold = [](T a, T b) { return static_cast<T>(a + b); };
  return simt::reduce({simt::Op::kShuffle, mask, site}, value, fold);
}
template <class T>
requires std::is_integral_v<T> T __reduce_min_sync(unsigned mask, T value,
                                                   simt::Site site = simt::Site::current()) {
  const auto fold = [](T a, T b) { return b < a ? b : a; };
  return simt::reduce({simt::Op::kShuffle, mask, site}, value, fold);
}
template <class T>
requires std::is_integral_v<T> T __reduce_max_sync(unsigned mask, T value,
                                                   simt::Site site = simt::Site::current()) {
  const auto fold = [](T a, T b) { return a < b ? b : a; };
  return simt::reduce({simt::Op::kShuffle, mask, site}, value, fold);
}
