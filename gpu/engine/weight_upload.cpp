#include "gpu/engine/weight_upload.h"

#include <algorithm>
#include <cuda_runtime_api.h>

#include "gpu/device/error.h"

namespace qaq::cuda {

WeightUpload::WeightUpload()
    : buffers_{PinnedBuffer<float>(kNumbers), PinnedBuffer<float>(kNumbers)} {}

void WeightUpload::put(const WeightView& weight, DType dtype, std::byte* device,
                       const Stream& stream) {
  const auto n_bytes = static_cast<std::size_t>(row_bytes(weight.type, weight.cols));
  const std::int64_t together = std::max<std::int64_t>(1, kNumbers / weight.cols);
  // A row longer than a buffer gets one of its own.
  for (PinnedBuffer<float>& buffer : buffers_) {
    if (buffer.size() < weight.cols) {
      stream.wait();
      buffer = PinnedBuffer<float>(weight.cols);
    }
  }
  for (std::int64_t row = 0; row < weight.rows; row += together) {
    const std::int64_t n_rows = std::min(together, weight.rows - row);
    float* numbers = buffers_[next_].data();
    sent_[next_].wait();
    WeightView part = weight;
    part.rows = n_rows;
    part.bytes = weight.bytes.subspan(static_cast<std::size_t>(row) * n_bytes,
                                      static_cast<std::size_t>(n_rows) * n_bytes);
    const auto n = static_cast<std::size_t>(n_rows * weight.cols);
    decode_matrix(part, {numbers, {n_rows, weight.cols}});
    // In place: what is written lies at or before what is read next.
    store_as({numbers, n}, dtype, reinterpret_cast<std::byte*>(numbers));
    check(cudaMemcpyAsync(device + row * weight.cols * bytes_of(dtype), numbers,
                          n * static_cast<std::size_t>(bytes_of(dtype)), cudaMemcpyHostToDevice,
                          stream.get()),
          "copying weights");
    sent_[next_].record(stream);
    next_ = 1 - next_;
  }
}

}  // namespace qaq::cuda
