#include "gpu/replay/row_upload.h"

#include <algorithm>
#include <cuda_runtime_api.h>

#include "gpu/device/error.h"

namespace qaq::cuda {

RowUpload::RowUpload(std::int64_t row_size, std::int64_t n_numbers) {
  const std::int64_t n = std::max(row_size, std::min(n_numbers, kNumbers));
  for (PinnedBuffer<float>& buffer : buffers_) buffer = PinnedBuffer<float>(n);
}

void RowUpload::put(std::int64_t n_rows, std::int64_t size, std::int64_t stride,
                    const std::function<const float*(std::int64_t)>& row, float* device,
                    const Stream& stream) {
  const std::int64_t together = buffers_[0].size() / stride;
  for (std::int64_t first = 0; first < n_rows; first += together) {
    const std::int64_t count = std::min(together, n_rows - first);
    float* numbers = buffers_[next_].data();
    sent_[next_].wait();
    for (std::int64_t i = 0; i < count; ++i) {
      float* to = numbers + i * stride;
      std::fill(std::copy_n(row(first + i), size, to), to + stride, 0.0f);
    }
    check(cudaMemcpyAsync(device + first * stride, numbers,
                          static_cast<std::size_t>(count * stride) * sizeof(float),
                          cudaMemcpyHostToDevice, stream.get()),
          "copying a capture");
    sent_[next_].record(stream);
    next_ = 1 - next_;
  }
}

}  // namespace qaq::cuda
