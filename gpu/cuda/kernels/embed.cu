// A block of 128 a row, four numbers a thread and step. Every number is read once and written once:
// 8 bytes a number, or 6, nothing else, so the memory's rate is the floor.
#include "gpu/cuda/kernels/embed.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 128;

// resources: registers 32, shared 0, threads 128, blocks 16
template <class T, bool kAligned>
__global__ void __launch_bounds__(kThreads) embed_rows(EmbedCall call) {
  const std::int64_t row = blockIdx.x;
  const T* from = static_cast<const T*>(call.table) + call.ids[row] * call.n_cols;
  float* to = call.out + row * call.n_cols;
  for (std::int64_t c = 4 * static_cast<std::int64_t>(threadIdx.x); c < call.n_cols;
       c += 4 * kThreads) {
    store_quad<kAligned>(to, c, call.n_cols, load_quad<kAligned>(from, c, call.n_cols));
  }
}

}  // namespace

cudaError_t embed(const EmbedCall& call, cudaStream_t stream) {
  if (call.n_rows == 0 || call.n_cols == 0) return cudaSuccess;
  return with_type(call.dtype, [&]<class T>(TypeOf<T>) {
    const auto kernel = in_whole_quads(call.n_cols, {call.table, call.out}) ? embed_rows<T, true>
                                                                            : embed_rows<T, false>;
    return launch(kernel, static_cast<unsigned>(call.n_rows), kThreads, 0, stream, call);
  });
}

}  // namespace qaq::cuda
