#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "data/capture/h5_array.h"

namespace qaq::h5 {

/// A new dataset of `extents` with all its numbers, each index of the first axis (a layer, say) a
/// chunk of its own that is packed by shuffle and deflate 1. The bytes are those that HDF5's own
/// filters make, but several threads make them. Only for the HDF5 thread.
void write_packed(const File& file, const std::string& path, hid_t type, const Extents& extents,
                  std::span<const std::byte> values);

template <class T>
void write_packed(const File& file, const std::string& path, const Extents& extents,
                  std::span<const T> values) {
  write_packed(file, path, type_of<T>(), extents, std::as_bytes(values));
}

}  // namespace qaq::h5
