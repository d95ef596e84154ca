#pragma once

#include <array>
#include <cstdint>

#include "core/tensor/dtype.h"
#include "core/tensor/weight_block.h"
#include "gpu/device/buffer.h"
#include "gpu/device/stream.h"

namespace qaq::cuda {

/// Carries weights to the GPU: decoded by core into two pinned buffers in turn, so that one is
/// filled while the other travels.
class WeightUpload {
 public:
  /// Throws Error{work}.
  WeightUpload();

  /// Queues `weight` into `device` (rows, cols) of `dtype`, rounded once. Throws Error{input} naming
  /// the tensor where it holds NaN or infinity.
  void put(const WeightView& weight, DType dtype, std::byte* device, const Stream& stream);

 private:
  static constexpr std::int64_t kNumbers = std::int64_t{4} << 20;

  std::array<PinnedBuffer<float>, 2> buffers_;
  std::array<Event, 2> sent_;
  std::size_t next_ = 0;
};

}  // namespace qaq::cuda
