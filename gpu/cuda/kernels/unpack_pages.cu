// A warp a page, eight warps a block; lanes lie over the channels of a row, so that stores are
// whole. Bytes: the page's codes and side data, which the first load of each brings to the L1 cache
// for the others, and the row that is written: the floor.
#include "gpu/cuda/kernels/page_operands.h"
#include "gpu/cuda/kernels/unpack_pages.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;

// resources: registers 48, shared 0, threads 256, blocks 5
template <class T>
__global__ void __launch_bounds__(kThreads) unpack_rows(UnpackPagesCall call, int n_blocks) {
  const PagedCache& cache = call.cache;
  const std::int64_t in_call = blockIdx.x / n_blocks, list = call.first_list + in_call;
  const int k = blockIdx.x % n_blocks * kWarps + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (k >= cache.states[list].n_pages) return;
  const Page page = cache.pages[cache.place(list, k)];
  const std::int64_t rows = cache.place(list, page.place) * kPageTokens;
  for (int slot = 0; slot < kPageTokens; ++slot) {
    const int token = cache.tokens[rows + slot];
    if (token < 0) continue;
    const RowGrid grid = cache.grids[rows + slot];
    T* out = static_cast<T*>(call.out) + (in_call * call.list_stride + token) * cache.head_dim;
    for (int c = lane; c < cache.head_dim; c += 32) {
      const unsigned code = code_in_page(cache.words(list, page.place), page.bits, cache.head_dim,
                                         cache.side, slot, c);
      out[c] = from_float<T>(value_of_code(cache.rule, grid, page.bits, code));
    }
    if (!cache.outlier_runs) continue;
    __syncwarp();
    const OutlierRun run = cache.outlier_runs[cache.token(list, token)];
    const std::int64_t first = list * cache.max_outliers + run.first;
    for (int i = lane; i < run.n; i += 32) {
      out[cache.outlier_channels[first + i]] =
          from_float<T>(number_at(cache.outlier_values, cache.dtype, first + i));
    }
  }
}

}  // namespace

cudaError_t unpack_pages(const UnpackPagesCall& call, cudaStream_t stream) {
  if (call.n_lists == 0) return cudaSuccess;
  if (!fits(call.cache)) return cudaErrorInvalidValue;
  const int n_blocks = max(1, (call.cache.max_pages + kWarps - 1) / kWarps);
  return with_type(call.dtype, [&](auto type) {
    return launch(unpack_rows<typename decltype(type)::type>,
                  static_cast<unsigned>(call.n_lists * n_blocks), kThreads, 0, stream, call,
                  n_blocks);
  });
}

}  // namespace qaq::cuda
