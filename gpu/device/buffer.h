#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace qaq::cuda {

/// Device memory for everything of one open model, in one piece: taken at once, so that it is
/// there or not before anything runs, and carved before the first launch.
class Arena {
 public:
  /// Throws Error{work} where the GPU has less.
  explicit Arena(std::int64_t bytes);

  /// The next `n` numbers, beginning at a multiple of kAlignment bytes. More than was planned is a
  /// mistake of the plan: throws std::logic_error.
  template <class T>
  T* take(std::int64_t n) {
    return static_cast<T*>(take_bytes(n * static_cast<std::int64_t>(sizeof(T))));
  }
  std::int64_t bytes_left() const { return bytes_ - used_; }

  static constexpr std::int64_t kAlignment = 256;
  /// What take() uses up for so many bytes.
  static std::int64_t rounded(std::int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  void* take_bytes(std::int64_t bytes);

  std::unique_ptr<std::byte, Free> memory_;
  std::int64_t bytes_ = 0;
  std::int64_t used_ = 0;
};

/// Host memory that the GPU copies from and to without waiting.
template <class T>
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  /// Throws Error{work}.
  explicit PinnedBuffer(std::int64_t n);

  T* data() const { return memory_.get(); }
  std::int64_t size() const { return size_; }

 private:
  struct Free {
    void operator()(T* memory) const;
  };
  std::unique_ptr<T, Free> memory_;
  std::int64_t size_ = 0;
};

extern template class PinnedBuffer<float>;
extern template class PinnedBuffer<std::int32_t>;
extern template class PinnedBuffer<std::int64_t>;
extern template class PinnedBuffer<std::byte>;

}  // namespace qaq::cuda
