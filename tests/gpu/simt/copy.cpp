#include <atomic>
#include <cstddef>
#include <cstring>

#include "tests/gpu/simt/runtime.h"
#include "tests/gpu/simt/simt.h"
#include "tests/gpu/simt/streams.h"

namespace simt {
namespace {

std::atomic<std::size_t> to_host = 0;

/// Whether both ends are where the kind says, and whole.
bool copy_fits(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const Place target = place_of(to, bytes), source = place_of(from, bytes);
  if (target == Place::kAcrossAnEnd || source == Place::kAcrossAnEnd) return false;
  if (kind == cudaMemcpyDefault) return true;
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  return (target == Place::kDevice) == to_device && (source == Place::kDevice) == from_device;
}

/// A graph may outlive memory that is not pinned: no copy of it is kept.
cudaError_t keep_in_capture(const void* to, const void* from, cudaStream_t handle) {
  const Stream* stream = Streams::instance().find(handle);
  if (!stream || !stream->capturing.capture) return cudaSuccess;
  if (place_of(to, 1) != Place::kHost && place_of(from, 1) != Place::kHost) return cudaSuccess;
  return invalidate(*stream->capturing.capture, cudaErrorStreamCaptureUnsupported);
}

cudaError_t queue_copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                       cudaStream_t stream) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (bytes == 0) return cudaSuccess;
  if (!copy_fits(to, from, bytes, kind)) return remember(cudaErrorInvalidValue);
  if (const cudaError_t error = keep_in_capture(to, from, stream); error != cudaSuccess) {
    return error;
  }
  return submit(stream, [=] {
    // A graph may be launched when its memory is gone.
    if (!copy_fits(to, from, bytes, kind)) return cudaErrorIllegalAddress;
    std::memmove(to, from, bytes);
    if (kind == cudaMemcpyDeviceToHost) to_host += bytes;
    return cudaSuccess;
  });
}

/// Rows of `width` bytes that begin `pitch` bytes apart.
struct Rows {
  std::byte* first;
  std::size_t pitch;

  bool within(std::size_t width, std::size_t height) const {
    return place_of(first, (height - 1) * pitch + width) != Place::kAcrossAnEnd;
  }
};

cudaError_t queue_rows(Rows to, Rows from, std::size_t width, std::size_t height,
                       cudaMemcpyKind kind, cudaStream_t stream) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (width == 0 || height == 0) return cudaSuccess;
  if (to.pitch < width || from.pitch < width) return remember(cudaErrorInvalidPitchValue);
  const auto fit = [=] {
    return copy_fits(to.first, from.first, width, kind) && to.within(width, height) &&
           from.within(width, height);
  };
  if (!fit()) return remember(cudaErrorInvalidValue);
  if (const cudaError_t error = keep_in_capture(to.first, from.first, stream);
      error != cudaSuccess) {
    return error;
  }
  return submit(stream, [=] {
    if (!fit()) return cudaErrorIllegalAddress;
    for (std::size_t row = 0; row < height; ++row) {
      std::memmove(to.first + row * to.pitch, from.first + row * from.pitch, width);
    }
    return cudaSuccess;
  });
}

cudaError_t queue_set(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (bytes == 0) return cudaSuccess;
  if (place_of(to, bytes) != Place::kDevice) return remember(cudaErrorInvalidValue);
  return submit(stream, [=] {
    if (place_of(to, bytes) != Place::kDevice) return cudaErrorIllegalAddress;
    std::memset(to, value, bytes);
    return cudaSuccess;
  });
}

}  // namespace

std::size_t bytes_to_host() { return to_host; }

}  // namespace simt

extern "C" {

// Host memory is read when the copy runs, as with pinned memory, whatever it is.
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const simt::ApiCall call;
  return simt::queue_copy(to, from, bytes, kind, stream);
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  const simt::ApiCall call;
  auto* source = static_cast<std::byte*>(const_cast<void*>(from));
  return simt::queue_rows({static_cast<std::byte*>(to), to_pitch}, {source, from_pitch}, width,
                          height, kind, stream);
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const simt::ApiCall call;
  const cudaError_t error = simt::queue_copy(to, from, bytes, kind, nullptr);
  return error != cudaSuccess ? error : simt::drain(nullptr);
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  const simt::ApiCall call;
  return simt::queue_set(to, value, bytes, stream);
}

// The host does not wait for it, on a GPU either.
cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  const simt::ApiCall call;
  return simt::queue_set(to, value, bytes, nullptr);
}
}
