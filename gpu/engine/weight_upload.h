#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/model/model_spec.h"
#include "core/tensor/dtype.h"
#include "core/tensor/weight_block.h"
#include "gpu/device/buffer.h"
#include "gpu/device/stream.h"

namespace qaq::cuda {

/// Carries weights to the GPU as the file has them, in pieces through two pinned buffers in turn,
/// so that one is filled while the other travels, and decodes them there: a link moves 4 bits of a
/// number instead of 16.
class WeightUpload {
 public:
  /// Bytes of device memory that an upload works in: a pure function.
  static std::int64_t device_bytes(const ModelSpec& spec);

  /// `memory` has device_bytes(). Throws Error{work}.
  WeightUpload(const ModelSpec& spec, std::byte* memory);

  /// Queues `weight` into `device` (rows, cols) of `dtype`: core's float32 numbers, rounded once.
  void put(const WeightView& weight, DType dtype, std::byte* device, const Stream& stream);
  /// Waits for what was put. Throws Error{input} naming the tensor that holds NaN, infinity or a
  /// number too large for its dtype.
  void finish(const Stream& stream);

 private:
  struct Put {
    WeightView weight;
    DType dtype;
  };
  std::int64_t piece_bytes_;
  std::array<PinnedBuffer<std::byte>, 2> pinned_;
  std::array<std::byte*, 2> staged_;  // on the device
  unsigned long long* bad_;           // (kMaxWeights) on the device: dequantize_weights.h
  std::array<Event, 2> sent_;
  std::size_t next_ = 0;
  std::vector<Put> put_;  // since the last finish()
};

}  // namespace qaq::cuda
