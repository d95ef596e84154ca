#include "gpu/device/buffer.h"

#include <cuda_runtime_api.h>
#include <stdexcept>

#include "core/base/error.h"
#include "core/base/text.h"
#include "gpu/device/error.h"

namespace qaq::cuda {

void Arena::Free::operator()(std::byte* memory) const { cudaFree(memory); }

Arena::Arena(std::int64_t bytes) : bytes_(rounded(bytes)) {
  if (bytes_ == 0) return;
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, static_cast<std::size_t>(bytes_));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // the next call is not to blame for it
    throw Error(ErrorKind::work,
                {.place = "GPU memory",
                 .what = cat("needs ", byte_text(bytes_), ", which the GPU does not have free"),
                 .cure = "give fewer tokens or a smaller model, or run with --device cpu"});
  }
  check(status, "taking GPU memory");
  memory_.reset(static_cast<std::byte*>(memory));
}

void* Arena::take_bytes(std::int64_t bytes) {
  const std::int64_t first = used_;
  used_ += rounded(bytes);
  if (used_ > bytes_) throw std::logic_error("the plan of the GPU's memory is too small");
  return memory_.get() + first;
}

template <class T>
void PinnedBuffer<T>::Free::operator()(T* memory) const {
  cudaFreeHost(memory);
}

template <class T>
PinnedBuffer<T>::PinnedBuffer(std::int64_t n) : size_(n) {
  if (n == 0) return;
  void* memory = nullptr;
  const cudaError_t status = cudaMallocHost(&memory, static_cast<std::size_t>(n) * sizeof(T));
  if (status != cudaSuccess) cudaGetLastError();
  check(status, "taking pinned memory");
  memory_.reset(static_cast<T*>(memory));
}

template class PinnedBuffer<float>;
template class PinnedBuffer<std::int32_t>;
template class PinnedBuffer<std::int64_t>;
template class PinnedBuffer<std::byte>;

}  // namespace qaq::cuda
