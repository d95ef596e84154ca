#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "gpu/device/buffer.h"
#include "gpu/device/stream.h"

namespace qaq::cuda {

/// Carries rows of numbers to the GPU through two pinned buffers in turn, so that one is filled
/// while the other travels.
class RowUpload {
 public:
  /// For rows of up to `row_size` numbers, `n_numbers` in all at a time. Throws Error{work}.
  RowUpload(std::int64_t row_size, std::int64_t n_numbers);

  /// Queues rows row(0), row(1), ... of `size` numbers, `stride` apart on the device and zero in
  /// between. They are read before it returns.
  void put(std::int64_t n_rows, std::int64_t size, std::int64_t stride,
           const std::function<const float*(std::int64_t)>& row, float* device,
           const Stream& stream);

 private:
  static constexpr std::int64_t kNumbers = std::int64_t{4} << 20;

  std::array<PinnedBuffer<float>, 2> buffers_;
  std::array<Event, 2> sent_;
  std::size_t next_ = 0;
};

}  // namespace qaq::cuda
