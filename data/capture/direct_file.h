#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/tensor/page_buffer.h"

namespace qaq {

/// Writes long stretches of a file at places that HDF5 has set aside. Whole pages go straight to
/// the disk (O_DIRECT) while the disk keeps up: the thread sleeps meanwhile, where filling the page
/// cache would take a third of a processor from the model, and push the model's own pages out of
/// the memory. What a disk is too slow for goes through the page cache, which takes it at once.
class DirectFile {
 public:
  /// Of a file that exists. `hurried` is asked now and then on the writing thread: whether writing
  /// lags behind. Throws Error{work}.
  DirectFile(const std::string& name, std::function<bool()> hurried);
  ~DirectFile();
  DirectFile(const DirectFile&) = delete;
  DirectFile& operator=(const DirectFile&) = delete;

  /// Writes `bytes` at `offset`. One thread at a time. Throws Error{work}.
  void write(std::int64_t offset, std::span<const std::byte> bytes);

  /// Bytes that went past the page cache.
  std::int64_t direct_bytes() const { return direct_bytes_; }

 private:
  bool write_direct(std::int64_t offset, std::span<const std::byte> bytes);
  void write_cached(std::int64_t offset, std::span<const std::byte> bytes) const;
  [[noreturn]] void fail(int code) const;

  std::string name_;
  std::function<bool()> hurried_;
  int cached_ = -1;
  int direct_ = -1;  ///< -1: this file system, or this system, has no such writing
  PageBuffer aligned_;
  std::int64_t direct_bytes_ = 0;
};

}  // namespace qaq
