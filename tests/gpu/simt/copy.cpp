#include <cstddef>
#include <cstring>

#include "tests/gpu/simt/runtime.h"

namespace simt {
namespace {

/// Whether both ends are where the kind says, and whole.
bool copy_fits(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const Place target = place_of(to, bytes), source = place_of(from, bytes);
  if (target == Place::kAcrossAnEnd || source == Place::kAcrossAnEnd) return false;
  if (kind == cudaMemcpyDefault) return true;
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  return (target == Place::kDevice) == to_device && (source == Place::kDevice) == from_device;
}

cudaError_t queue_copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                       cudaStream_t stream) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (bytes == 0) return cudaSuccess;
  if (!copy_fits(to, from, bytes, kind)) return remember(cudaErrorInvalidValue);
  return submit(stream, [=] {
    std::memmove(to, from, bytes);
    return cudaSuccess;
  });
}

cudaError_t queue_rows(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                       std::size_t width, std::size_t height, cudaMemcpyKind kind,
                       cudaStream_t stream) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (width == 0 || height == 0) return cudaSuccess;
  if (to_pitch < width || from_pitch < width) return remember(cudaErrorInvalidPitchValue);
  if (!copy_fits(to, from, width, kind)) return remember(cudaErrorInvalidValue);
  const std::size_t last = height - 1;
  auto* target = static_cast<std::byte*>(to);
  const auto* source = static_cast<const std::byte*>(from);
  if (place_of(target, last * to_pitch + width) == Place::kAcrossAnEnd ||
      place_of(source, last * from_pitch + width) == Place::kAcrossAnEnd) {
    return remember(cudaErrorInvalidValue);
  }
  return submit(stream, [=] {
    for (std::size_t row = 0; row < height; ++row) {
      std::memmove(target + row * to_pitch, source + row * from_pitch, width);
    }
    return cudaSuccess;
  });
}

cudaError_t queue_set(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (bytes == 0) return cudaSuccess;
  if (place_of(to, bytes) != Place::kDevice) return remember(cudaErrorInvalidValue);
  return submit(stream, [=] {
    std::memset(to, value, bytes);
    return cudaSuccess;
  });
}

}  // namespace
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
  return simt::queue_rows(to, to_pitch, from, from_pitch, width, height, kind, stream);
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
