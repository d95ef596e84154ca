// A block of 256 a list; with fewer blocks than lists each takes every n_workers-th, so that what
// they need beside shared memory stays small. A warp walks over an eighth of the tokens, in order,
// so that ranks need no barrier: its counts by width, summed over the warps before it, say where it
// begins. Holes and free places are bits in shared memory, which a warp turns into lists.
//
// Bytes: 2 a token (width held and wanted), and of tokens that move 4 for the slot, 4 for the place
// in the page. The wanted widths of a list lie n_layers * n_kv_heads apart, so they are read once,
// a sector each, and kept in order; lists of a layer find the sectors of each other in the L2
// cache.
#include "gpu/cuda/kernels/assign_slots.h"
#include "gpu/cuda/kernels/warp.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;

// What a block needs beside shared memory.
struct Workspace {
  Page* pages;           // (max_pages), the table before
  std::int32_t* free;    // (max_pages) places for pages that are new, in order
  std::int32_t* holes;   // (16 max_pages) slots of the new table that are to be filled, in order
  std::int32_t* tail;    // (max_tokens) tokens that stay, but move into holes
  std::uint8_t* wanted;  // (max_tokens)
};

__host__ __device__ std::int64_t rounded_up(std::int64_t bytes) { return (bytes + 15) / 16 * 16; }

__host__ __device__ std::int64_t workspace_bytes(const PagedCache& cache) {
  const std::int64_t pages = cache.max_pages, tokens = cache.max_tokens;
  return rounded_up(pages * sizeof(Page)) + rounded_up(4 * pages) + 64 * pages +
         rounded_up(4 * tokens) + rounded_up(tokens);
}

__device__ Workspace workspace_of_block(const AssignSlotsCall& call) {
  const std::int64_t pages = call.cache.max_pages, tokens = call.cache.max_tokens;
  std::byte* at = call.workspace + blockIdx.x * workspace_bytes(call.cache);
  const auto take = [&at](std::int64_t bytes) {
    std::byte* const piece = at;
    at += rounded_up(bytes);
    return piece;
  };
  Workspace w;
  w.pages = reinterpret_cast<Page*>(take(pages * sizeof(Page)));
  w.free = reinterpret_cast<std::int32_t*>(take(4 * pages));
  w.holes = reinterpret_cast<std::int32_t*>(take(64 * pages));
  w.tail = reinterpret_cast<std::int32_t*>(take(4 * tokens));
  w.wanted = reinterpret_cast<std::uint8_t*>(take(tokens));
  return w;
}

// One width's tokens and pages, before and after.
struct Width {
  int n_before, n_after;  // tokens
  int pages_before, pages_after;
  int first_before, first_after;  // page in the table
  int first_new;                  // of the free places, for the pages it gains
  int n_tail;                     // tokens behind its new end that stay
  int first_tail, first_hole;
};

struct Shared {
  Width widths[kWidths];
  int arrivals[kWarps][kWidths];  // by warp; then where each warp begins
  int leaving[kWidths];
  int n_pages, n_new_pages, n_holes, n_tail;
  int problems;
  unsigned used[kMaxPages / 32];                 // a bit a place
  unsigned holes[kMaxPages * kPageTokens / 32];  // a bit a slot of the new table
};

__device__ int pages_of(int n_tokens) { return (n_tokens + kPageTokens - 1) / kPageTokens; }

// The tokens that a warp walks over: [first, end).
__device__ int tokens_of_warp(int n_tokens) { return (n_tokens + kThreads - 1) / kThreads * 32; }

// The width that page k of a table belongs to.
template <bool kAfter>
__device__ int width_of_page(const Shared& s, int k) {
  int width = 0;
  for (int b = 0; b < kWidths; ++b) {
    const int n = kAfter ? s.widths[b].pages_after : s.widths[b].pages_before;
    const int first = kAfter ? s.widths[b].first_after : s.widths[b].first_before;
    if (n > 0 && k >= first) width = b;
  }
  return width;
}

// Puts the places of the set (or unset) bits of `bits` into `list`, in order, as far as `limit`;
// by one warp, which calls it together.
template <bool kSet>
__device__ void list_bits(const unsigned* bits, int n_words, int limit, std::int32_t* list) {
  const int lane = threadIdx.x % 32;
  int rank = 0;
  for (int first = 0; first < n_words && rank < limit; first += 32) {
    const int word = first + lane;
    unsigned rest = word < n_words ? (kSet ? bits[word] : ~bits[word]) : 0u;
    const int n = __popc(rest);
    const int end = rank + sum_up_to_lane(n);
    for (int at = end - n; rest != 0 && at < limit; ++at, rest &= rest - 1) {
      list[at] = 32 * word + __ffs(static_cast<int>(rest)) - 1;
    }
    rank = __shfl_sync(~0u, end, 31);
  }
}

struct List {
  const AssignSlotsCall& call;
  const PagedCache& cache;
  Shared& s;
  Workspace w;
  std::int64_t list;
  int n_tokens;  // of the plan
  Page* pages;
  std::uint32_t* changed;
  std::int32_t* tokens;
  std::uint8_t* held;
  const std::int32_t* slots;
  std::int32_t* ordinals;

  // What every token wants, and how many come and go; whether any does. Widths that cannot be are
  // problems.
  __device__ bool count() const {
    bool changes = false;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int part = tokens_of_warp(n_tokens), end = min(n_tokens, (warp + 1) * part);
    for (int t = warp * part + lane; t < end; t += 32) {
      const int wanted = call.n_bits[cache.unit(list, t)], has = held[t];
      w.wanted[t] = static_cast<std::uint8_t>(wanted);
      if (wanted == has) continue;
      changes = true;
      if (wanted != kInNoPage && wanted > cache.max_bits) {
        atomicOr(&s.problems, static_cast<int>(kBitsNotPlanned));
        continue;
      }
      if (wanted != kInNoPage) atomicAdd(&s.arrivals[warp][wanted], 1);
      if (has != kInNoPage) atomicAdd(&s.leaving[has], 1);
    }
    return changes;
  }

  // Sizes of the new table; by one thread.
  __device__ void size_widths(const ListState& state) const {
    int first_before = 0, first_after = 0, first_new = 0;
    for (int b = 0; b < kWidths; ++b) {
      int n_arriving = 0;
      for (int warp = 0; warp < kWarps; ++warp) {
        const int of_warp = s.arrivals[warp][b];
        s.arrivals[warp][b] = n_arriving;
        n_arriving += of_warp;
      }
      Width& width = s.widths[b];
      width.n_before = state.n_tokens_of[b];
      width.n_after = width.n_before - s.leaving[b] + n_arriving;
      width.pages_before = pages_of(width.n_before);
      width.pages_after = pages_of(width.n_after);
      width.first_before = first_before;
      width.first_after = first_after;
      width.first_new = first_new;
      width.n_tail = 0;
      first_before += width.pages_before;
      first_after += width.pages_after;
      first_new += max(0, width.pages_after - width.pages_before);
      width.first_hole = n_arriving;  // until tails are counted
    }
    s.n_pages = first_after;
    s.n_new_pages = first_new;
    if (first_after > cache.max_pages) s.problems |= kPagesFull;
  }

  // Which places stay in use; the table before is kept aside.
  __device__ void keep_places() const {
    const int last = kWidths - 1;
    const int n_before = s.widths[last].first_before + s.widths[last].pages_before;
    for (int k = threadIdx.x; k < n_before; k += kThreads) {
      const Page page = pages[k];
      w.pages[k] = page;
      const Width& width = s.widths[page.bits];
      if (k - width.first_before < width.pages_after) {
        atomicOr(&s.used[page.place / 32], 1u << page.place % 32);
      }
    }
  }

  // Slots of tokens that leave, and slots that are added.
  __device__ void mark_holes() const {
    for (int t = threadIdx.x; t < n_tokens; t += kThreads) {
      const int has = held[t];
      if (has == kInNoPage || has == w.wanted[t]) continue;
      const Width& width = s.widths[has];
      const int slot = slots[t],
                at = ordinals[slot / kPageTokens] * kPageTokens + slot % kPageTokens;
      if (at < width.n_after) mark_hole(width.first_after * kPageTokens + at);
    }
    for (int b = 0; b < kWidths; ++b) {
      const Width& width = s.widths[b];
      for (int at = width.n_before + threadIdx.x; at < width.n_after; at += kThreads) {
        mark_hole(width.first_after * kPageTokens + at);
      }
    }
  }
  __device__ void mark_hole(int slot) const { atomicOr(&s.holes[slot / 32], 1u << slot % 32); }

  // Tokens behind the new end of their width that stay in it, in the order of slots; by one warp.
  __device__ void list_tail() const {
    const int lane = threadIdx.x % 32;
    int rank = 0;
    for (int b = 0; b < kWidths; ++b) {
      Width& width = s.widths[b];
      const int before = rank;
      for (int first = width.n_after; first < width.n_before; first += 32) {
        const int at = first + lane;
        int token = -1;
        if (at < width.n_before) {
          const int k = width.first_before + at / kPageTokens;
          token =
              tokens[static_cast<std::int64_t>(w.pages[k].place) * kPageTokens + at % kPageTokens];
        }
        const bool stays = token >= 0 && w.wanted[token] == b;
        const unsigned all = __ballot_sync(~0u, stays);
        if (stays) w.tail[rank + __popc(all & ((1u << lane) - 1))] = token;
        rank += __popc(all);
      }
      if (lane == 0) {
        width.first_tail = before;
        width.n_tail = rank - before;
      }
    }
    if (lane == 0) s.n_tail = rank;
  }

  // Where the holes of each width begin, and where those begin that its tail fills; by one thread.
  __device__ void place_holes() const {
    int first = 0;
    for (Width& width : s.widths) {
      const int n_arriving = width.first_hole;
      width.first_hole = first;
      first += n_arriving + width.n_tail;
      width.first_tail -= width.first_hole + n_arriving;  // from a tail's rank to its hole
    }
    s.n_holes = first;
  }

  __device__ void build_table() const {
    for (int k = threadIdx.x; k < s.n_pages; k += kThreads) {
      const int b = width_of_page<true>(s, k);
      const Width& width = s.widths[b];
      const int ordinal = k - width.first_after;
      const bool stays = ordinal < width.pages_before;
      const int place = stays ? w.pages[width.first_before + ordinal].place
                              : w.free[width.first_new + ordinal - width.pages_before];
      pages[k] = {place, b};
      ordinals[place] = ordinal;
      // Empty slots are at the end of the last page.
      for (int i = 0; i < kPageTokens; ++i) {
        if (ordinal * kPageTokens + i >= width.n_after) {
          tokens[static_cast<std::int64_t>(place) * kPageTokens + i] = -1;
        }
      }
    }
  }

  __device__ void fill_hole(int hole, int token) const {
    const int slot = w.holes[hole], k = slot / kPageTokens;
    tokens[static_cast<std::int64_t>(pages[k].place) * kPageTokens + slot % kPageTokens] = token;
    atomicOr(&changed[k], 1u << slot % kPageTokens);
  }

  __device__ void fill_holes() const {
    for (int i = threadIdx.x; i < s.n_tail; i += kThreads) {
      const int token = w.tail[i];
      fill_hole(i - s.widths[w.wanted[token]].first_tail, token);
    }
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int part = tokens_of_warp(n_tokens), end = min(n_tokens, (warp + 1) * part);
    for (int first = warp * part; first < end; first += 32) {
      const int t = first + lane;
      const int wanted = t < end ? w.wanted[t] : kInNoPage;
      const bool moves = t < end && wanted != held[t];
      unsigned left = __ballot_sync(~0u, moves && wanted != kInNoPage);
      while (left != 0) {
        const int width = __shfl_sync(~0u, wanted, __ffs(static_cast<int>(left)) - 1);
        const unsigned same = __ballot_sync(~0u, moves && wanted == width);
        if (moves && wanted == width) {
          fill_hole(s.widths[width].first_hole + s.arrivals[warp][width] +
                        __popc(same & ((1u << lane) - 1)),
                    t);
        }
        __syncwarp();
        if (lane == 0) s.arrivals[warp][width] += __popc(same);
        __syncwarp();
        left &= ~same;
      }
      if (moves && wanted == kInNoPage) held[t] = kInNoPage;
    }
  }

  __device__ void assign() const {
    ListState& state = cache.states[list];
    for (int i = threadIdx.x; i < kWarps * kWidths; i += kThreads) {
      s.arrivals[i / kWidths][i % kWidths] = 0;
    }
    if (threadIdx.x < kWidths) s.leaving[threadIdx.x] = 0;
    if (threadIdx.x == 0) s.problems = 0;
    __syncthreads();
    if (!__syncthreads_or(count())) return;
    if (threadIdx.x == 0) size_widths(state);
    __syncthreads();
    if (s.problems != 0) {
      if (threadIdx.x == 0) atomicOr(cache.problems, s.problems);
      return;
    }
    const int n_place_words = (cache.max_pages + 31) / 32;
    const int n_hole_words = (s.n_pages * kPageTokens + 31) / 32;
    for (int i = threadIdx.x; i < n_place_words; i += kThreads) s.used[i] = 0;
    for (int i = threadIdx.x; i < n_hole_words; i += kThreads) s.holes[i] = 0;
    __syncthreads();
    keep_places();
    mark_holes();
    __syncthreads();
    if (threadIdx.x / 32 == 0)
      list_bits<true>(s.holes, n_hole_words, s.n_pages * kPageTokens, w.holes);
    if (threadIdx.x / 32 == 1) list_bits<false>(s.used, n_place_words, s.n_new_pages, w.free);
    if (threadIdx.x / 32 == 2) list_tail();
    __syncthreads();
    if (threadIdx.x == 0) place_holes();
    build_table();
    __syncthreads();
    fill_holes();
    if (threadIdx.x < kWidths) state.n_tokens_of[threadIdx.x] = s.widths[threadIdx.x].n_after;
    if (threadIdx.x == 0) state.n_pages = s.n_pages;
  }
};

// resources: registers 64, shared 18720, threads 256, blocks 4
__global__ void __launch_bounds__(kThreads) assign_lists(AssignSlotsCall call) {
  Shared& s = block_shared<Shared>();
  const PagedCache& cache = call.cache;
  const Workspace w = workspace_of_block(call);
  const std::int64_t end = call.first_list + call.n_lists;
  for (std::int64_t list = call.first_list + blockIdx.x; list < end; list += gridDim.x) {
    const List one{call,
                   cache,
                   s,
                   w,
                   list,
                   call.lengths->n_packed,
                   cache.pages + cache.place(list, 0),
                   cache.changed + cache.place(list, 0),
                   cache.tokens + cache.place(list, 0) * kPageTokens,
                   cache.held + cache.token(list, 0),
                   cache.slots + cache.token(list, 0),
                   cache.ordinals + cache.place(list, 0)};
    one.assign();
    __syncthreads();  // the next list uses the same shared memory
  }
}

}  // namespace

std::int64_t assign_workspace(const PagedCache& cache, std::int32_t n_workers) {
  return n_workers * workspace_bytes(cache);
}

cudaError_t assign_slots(const AssignSlotsCall& asked, cudaStream_t stream) {
  AssignSlotsCall call = asked;
  if (call.n_lists < 0) call.n_lists = call.cache.n_lists - call.first_list;
  if (call.n_lists == 0) return cudaSuccess;
  if (!fits(call.cache) || !call.cache.has_lists(call.first_list, call.n_lists) ||
      call.n_workers < 1) {
    return cudaErrorInvalidValue;
  }
  const int n_blocks = min(call.n_workers, call.n_lists);
  return launch(assign_lists, static_cast<unsigned>(n_blocks), kThreads, 0, stream, call);
}

}  // namespace qaq::cuda
