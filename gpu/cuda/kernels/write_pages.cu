// A block of 256 a list; with fewer blocks than lists each takes every n_workers-th. Tokens of a
// list change places with each other, so first every row that is to be written is made, a warp a
// row, in the block's workspace: its codes (16 bits each), scale and base. Behind the only barrier
// a warp writes a page: every lane makes its own words, whole, and keeps the bits of slots that
// stay.
//
// Bytes a changed row: 2 head_dim (or 4) to read, or its codes in the page before; 4 head_dim to
// and from the workspace, which is 2 head_dim + 8 bytes a token and block, so that it stays in the
// L2 cache; of a page that is touched its codes twice. Where there are outliers a fresh row is read
// twice more: they are counted before they are taken down, for their order. Where rows are kept, 2
// head_dim (or 4) of each fresh one go out.
#include "core/quant/unit_grid.h"
#include "gpu/cuda/kernels/warp.h"
#include "gpu/cuda/kernels/write_pages.h"
#include "gpu/cuda/number.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;

__host__ __device__ int padded_dim(const PagedCache& cache) {
  return page_chunks(cache.head_dim) * kChunkChannels;
}

__host__ __device__ std::int64_t workspace_bytes(const PagedCache& cache) {
  const std::int64_t bytes =
      cache.max_tokens * static_cast<std::int64_t>(sizeof(RowGrid) + 2 * padded_dim(cache));
  return (bytes + 15) / 16 * 16;
}

struct Shared {
  unsigned outliers[kWarps][kMaxPageDim / 32];  // of a warp's row, a bit a channel
};

template <class T>
struct List {
  const WritePagesCall& call;
  const PagedCache& cache;
  Shared& s;
  std::int64_t list;
  ListState& state;
  int n_before;              // tokens that plans covered
  RowGrid* new_grids;        // (max_tokens), of the workspace
  std::uint16_t* new_codes;  // (max_tokens, padded_dim)

  __device__ const T* row(const RowSource& source, int token, int first_token) const {
    const std::int64_t number = source.row_of ? source.row_of[cache.token(list, token)]
                                              : source.list_stride * list + token - first_token;
    return static_cast<const T*>(source.rows) + number * cache.head_dim;
  }
  __device__ const T* fresh_row(int token) const { return row(call.fresh, token, n_before); }
  __device__ bool is_fresh(int token) const { return token >= n_before; }
  __device__ const UnitStats& stats_of(int token) const {
    return call.stats[cache.unit(list, token)];
  }

  // Takes down the outliers of fresh tokens, in order.
  __device__ void take_outliers() const {
    const int n_tokens = call.lengths->n_packed;
    OutlierRun* runs = cache.outlier_runs + cache.token(list, 0);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (int t = n_before + warp; t < n_tokens; t += kWarps) {
      int n = 0;
      for (int c = lane; c < cache.head_dim; c += 32) {
        n += stats_of(t).is_outlier(to_float(fresh_row(t)[c])) ? 1 : 0;
      }
      n = __reduce_add_sync(~0u, n);
      if (lane == 0) runs[t].n = n;
    }
    __syncthreads();
    if (warp == 0) place_runs(runs, n_tokens);
    __syncthreads();
    for (int t = n_before + warp; t < n_tokens; t += kWarps) copy_outliers(runs[t], t);
  }

  // Fresh rows as they are, to where later plans read them.
  __device__ void keep_fresh() const {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (int t = n_before + warp; t < call.lengths->n_packed; t += kWarps) {
      T* to = static_cast<T*>(call.keep) + (call.exact.list_stride * list + t) * cache.head_dim;
      for (int c = lane; c < cache.head_dim; c += 32) to[c] = fresh_row(t)[c];
    }
  }

  // By one warp. Where there is no room for a token's, it has none and the list a problem.
  __device__ void place_runs(OutlierRun* runs, int n_tokens) const {
    const int lane = threadIdx.x % 32;
    int first = state.n_outliers;
    for (int t = n_before; t < n_tokens; t += 32) {
      const int n = t + lane < n_tokens ? runs[t + lane].n : 0;
      const int end = first + sum_up_to_lane(n);
      const bool full = end > cache.max_outliers;
      if (t + lane < n_tokens) runs[t + lane] = {full ? 0 : end - n, full ? 0 : n};
      if (__any_sync(~0u, full) && lane == 0) {
        atomicOr(cache.problems, static_cast<int>(kOutliersFull));
      }
      first = __shfl_sync(~0u, end, 31);
    }
    if (lane == 0) state.n_outliers = min(first, cache.max_outliers);
  }

  __device__ void copy_outliers(const OutlierRun& run, int token) const {
    if (run.n == 0) return;
    const int lane = threadIdx.x % 32;
    const std::int64_t begin = list * static_cast<std::int64_t>(cache.max_outliers);
    std::int64_t at = begin + run.first;
    for (int first = 0; first < cache.head_dim; first += 32) {
      const int c = first + lane;
      const T x = c < cache.head_dim ? fresh_row(token)[c] : from_float<T>(0.0f);
      const bool is = c < cache.head_dim && stats_of(token).is_outlier(to_float(x));
      const unsigned all = __ballot_sync(~0u, is);
      if (is) {
        const std::int64_t to = at + __popc(all & ((1u << lane) - 1));
        cache.outlier_channels[to] = static_cast<std::uint16_t>(c);
        static_cast<T*>(cache.outlier_values)[to] = x;
      }
      at += __popc(all);
    }
  }

  // body(k, changed slots) for the pages that change, a warp each.
  template <class Body>
  __device__ void for_changed_pages(const Body& body) const {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (int first = 0; first < state.n_pages; first += kThreads) {
      const int k = first + warp + kWarps * lane;
      const unsigned mine = k < state.n_pages ? cache.changed[cache.place(list, k)] : 0u;
      unsigned left = __ballot_sync(~0u, mine != 0);
      for (; left != 0; left &= left - 1) {
        const int from = __ffs(static_cast<int>(left)) - 1;
        body(first + warp + kWarps * from, __shfl_sync(~0u, mine, from));
      }
    }
  }

  // Marks the channels of a row that are outliers, by what was taken down of it.
  __device__ const unsigned* known_outliers(int token) const {
    unsigned* bits = s.outliers[threadIdx.x / 32];
    const int lane = threadIdx.x % 32;
    __syncwarp();
    if (lane < kMaxPageDim / 32) bits[lane] = 0;
    __syncwarp();
    if (cache.outlier_runs) {
      const OutlierRun run = cache.outlier_runs[cache.token(list, token)];
      const std::int64_t begin = list * static_cast<std::int64_t>(cache.max_outliers) + run.first;
      for (int i = lane; i < run.n; i += 32) {
        const int c = cache.outlier_channels[begin + i];
        atomicOr(&bits[c / 32], 1u << c % 32);
      }
      __syncwarp();
    }
    return bits;
  }

  // A row of a page that changes, made by a warp.
  __device__ void make_row(int token, int bits) const {
    const int has = cache.held[cache.token(list, token)];
    if (has == kInNoPage) {
      make_from_values(token, bits, is_fresh(token) ? fresh_row(token) : row(call.exact, token, 0));
    } else if (has == bits) {
      keep_codes(token, bits);
    } else if (has > bits && !call.demote_from_exact) {
      make_from_page(token, has, bits);
    } else {
      make_from_values(token, bits, row(call.exact, token, 0));
    }
  }

  // code(c) for every channel, 0 behind head_dim.
  template <class Code>
  __device__ void put_row(int token, const RowGrid& grid, const Code& code) const {
    const int padded = padded_dim(cache);
    for (int c = threadIdx.x % 32; c < padded; c += 32) {
      new_codes[static_cast<std::int64_t>(token) * padded + c] =
          static_cast<std::uint16_t>(c < cache.head_dim ? code(c) : 0u);
    }
    if (threadIdx.x % 32 == 0) new_grids[token] = grid;
  }

  __device__ static RowGrid row_grid(const UniformGrid& grid) {
    if (grid.lowest == grid.highest) return {0.0f, decode(grid, grid.lowest)};
    return {grid.scale, grid.base};
  }
  __device__ static unsigned code_of(const UniformGrid& grid, float x) {
    return static_cast<unsigned>(encode(grid, x) - grid.lowest);
  }

  __device__ void make_from_values(int token, int bits, const T* values) const {
    const UnitStats stats = stats_of(token);
    const UniformGrid grid = unit_grid(call.quantizer, stats, bits);
    put_row(token, row_grid(grid), [&](int c) {
      const float x = to_float(values[c]);
      return stats.is_outlier(x) ? 0u : code_of(grid, x);
    });
  }

  // Dequantized values may lie beyond the thresholds of outliers, so those are told by their list.
  __device__ void make_from_page(int token, int has, int bits) const {
    const UniformGrid grid = unit_grid(call.quantizer, stats_of(token), bits);
    const unsigned* outliers = known_outliers(token);
    const int slot = cache.slots[cache.token(list, token)];
    const RowGrid before = cache.grids[cache.place(list, 0) * kPageTokens + slot];
    put_row(token, row_grid(grid), [&](int c) {
      if ((outliers[c / 32] >> c % 32 & 1u) != 0) return 0u;
      return code_of(grid, value_of_code(cache.rule, before, has, old_code(slot, has, c)));
    });
  }

  __device__ void keep_codes(int token, int bits) const {
    const int slot = cache.slots[cache.token(list, token)];
    put_row(token, cache.grids[cache.place(list, 0) * kPageTokens + slot],
            [&](int c) { return old_code(slot, bits, c); });
  }

  __device__ unsigned old_code(int slot, int bits, int channel) const {
    return code_in_page(cache.words(list, slot / kPageTokens), bits, cache.head_dim, cache.side,
                        slot % kPageTokens, channel);
  }

  // A word of the lane's run: bits of slots that change are new, of those that stay as they are,
  // of empty ones zero.
  __device__ void write_word(std::uint32_t* word, const std::int32_t* tokens, unsigned changed,
                             int first_pair, int n_pairs, int first_channel, int width,
                             int shift) const {
    const int padded = padded_dim(cache);
    unsigned bits = 0, keep = 0;
    for (int pair = first_pair; pair < first_pair + n_pairs; ++pair) {
      const int channel = first_channel + pair / 4 * kChunkChannels;
      if (channel >= padded) break;
      for (int half = 0; half < 2; ++half) {
        const CodeHolder at{static_cast<int>(threadIdx.x) % 32, pair % 4, half};
        const int slot = held_slot(cache.side, at), token = tokens[slot];
        if (token < 0) continue;
        const unsigned mask = (1u << width) - 1;
        const int place = plane_bits(width, pair, half).shift;
        if ((changed >> slot & 1u) == 0) {
          keep |= mask << place;
          continue;
        }
        const unsigned code = new_codes[static_cast<std::int64_t>(token) * padded + channel +
                                        held_channel(cache.side, at)];
        bits |= (code >> shift & mask) << place;
      }
    }
    *word = keep == 0 ? bits : bits | (*word & keep);
  }

  __device__ void write_page(int k, unsigned changed) const {
    const int lane = threadIdx.x % 32;
    const Page page = cache.pages[cache.place(list, k)];
    const std::int32_t* tokens = cache.tokens + cache.place(list, page.place) * kPageTokens;
    std::uint32_t* words = cache.words(list, page.place);
    for (int group = 0; group < page_groups(cache.head_dim); ++group) {
      const int chunks = group_chunks(cache.head_dim, group), n = run_words(page.bits, chunks);
      int at = 0;
      for (int plane = 0; plane < kPlanes; ++plane) {
        if (!has_plane(page.bits, plane)) continue;
        const int width = plane_width(plane), pairs = 16 / width;
        for (int word = 0; word < plane_words(width, chunks); ++word, ++at) {
          write_word(words + group_first(page.bits, group) + word_place(n, at, lane), tokens,
                     changed, word * pairs, pairs, group * kGroupChannels, width,
                     plane_shift(page.bits, plane));
        }
      }
    }
    if (lane < kPageTokens && (changed >> lane & 1u) != 0) {
      const int token = tokens[lane];
      cache.grids[cache.place(list, page.place) * kPageTokens + lane] = new_grids[token];
      cache.held[cache.token(list, token)] = static_cast<std::uint8_t>(page.bits);
      cache.slots[cache.token(list, token)] = page.place * kPageTokens + lane;
    }
    if (lane == 0) cache.changed[cache.place(list, k)] = 0;
  }

  __device__ void write() const {
    if (call.keep) keep_fresh();
    if (cache.outlier_runs) take_outliers();
    for_changed_pages([&](int k, unsigned changed) {
      const Page page = cache.pages[cache.place(list, k)];
      const std::int32_t* tokens = cache.tokens + cache.place(list, page.place) * kPageTokens;
      for (unsigned left = changed; left != 0; left &= left - 1) {
        make_row(tokens[__ffs(static_cast<int>(left)) - 1], page.bits);
      }
    });
    __syncthreads();
    for_changed_pages([&](int k, unsigned changed) { write_page(k, changed); });
    if (threadIdx.x == 0) state.n_packed = call.lengths->n_packed;
  }
};

// resources: registers 80, shared 256, threads 256, blocks 3
template <class T>
__global__ void __launch_bounds__(kThreads, 3) write_lists(WritePagesCall call) {
  Shared& s = block_shared<Shared>();
  const PagedCache& cache = call.cache;
  std::byte* workspace = call.workspace + blockIdx.x * workspace_bytes(cache);
  const std::int64_t end = call.first_list + call.n_lists;
  for (std::int64_t list = call.first_list + blockIdx.x; list < end; list += gridDim.x) {
    const List<T> one{
        call,
        cache,
        s,
        list,
        cache.states[list],
        cache.states[list].n_packed,
        reinterpret_cast<RowGrid*>(workspace),
        reinterpret_cast<std::uint16_t*>(workspace + cache.max_tokens * sizeof(RowGrid))};
    __syncthreads();  // all know how many tokens there were, and are done with the list before
    one.write();
  }
}

}  // namespace

std::int64_t write_workspace(const PagedCache& cache, std::int32_t n_workers) {
  return n_workers * workspace_bytes(cache);
}

cudaError_t write_pages(const WritePagesCall& asked, cudaStream_t stream) {
  WritePagesCall call = asked;
  if (call.n_lists < 0) call.n_lists = call.cache.n_lists - call.first_list;
  if (call.n_lists == 0) return cudaSuccess;
  if (!fits(call.cache) || !call.cache.has_lists(call.first_list, call.n_lists) ||
      call.n_workers < 1 || call.quantizer.method != Method::uniform) {
    return cudaErrorInvalidValue;
  }
  const int n_blocks = min(call.n_workers, call.n_lists);
  return with_type(call.cache.dtype, [&](auto type) {
    return launch(write_lists<typename decltype(type)::type>, static_cast<unsigned>(n_blocks),
                  kThreads, 0, stream, call);
  });
}

}  // namespace qaq::cuda
