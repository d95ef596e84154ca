#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "data/capture/h5_array.h"

namespace qaq::h5 {

/// All numbers of a dataset, each index of the first axis (a layer, say) a chunk of its own, packed
/// by shuffle and deflate 1. The bytes are those that HDF5's own filters make, but several threads
/// make them, and the HDF5 thread has only to store them.
class PackedArray {
 public:
  /// For any thread.
  template <class T>
  static PackedArray of(std::string path, const Extents& extents, std::span<const T> values) {
    return {std::move(path), type_of<T>, sizeof(T), extents, std::as_bytes(values)};
  }

  const std::string& path() const { return path_; }
  /// A new dataset. For the HDF5 thread.
  void write(const File& file) const;

 private:
  PackedArray(std::string path, hid_t (*type)(), std::size_t bytes_each, const Extents& extents,
              std::span<const std::byte> values);

  std::string path_;
  hid_t (*type_)();
  Extents extents_;
  std::vector<std::vector<std::byte>> chunks_;
};

}  // namespace qaq::h5
