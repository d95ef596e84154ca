#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "data/capture/h5_dataset.h"

namespace qaq::h5 {

/// File and memory type of a C++ number.
template <class T>
hid_t type_of() {
  if constexpr (std::is_same_v<T, float>) {
    return H5T_IEEE_F32LE;
  } else if constexpr (std::is_same_v<T, double>) {
    return H5T_IEEE_F64LE;
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return H5T_STD_I64LE;
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return H5T_STD_I32LE;
  } else if constexpr (std::is_same_v<T, double>) {
    return H5T_IEEE_F64LE;
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return H5T_STD_I64LE;
  } else {
    static_assert(std::is_same_v<T, std::uint8_t>);
    return H5T_STD_U8LE;
  }
}

/// A new dataset with all its numbers, row-major. Only for the HDF5 thread, like all here.
template <class T>
void write_array(const File& file, const std::string& path, const Extents& extents,
                 std::span<const T> values, const Layout& layout = {}) {
  const Dataset dataset = Dataset::create(file, path, type_of<T>(), extents, layout);
  dataset.write(dataset.all(), type_of<T>(), values.data());
}

/// All numbers of a dataset that holds whole numbers or floats, as T (HDF5 converts).
template <class T>
std::vector<T> read_array(const File& file, const std::string& path) {
  const Dataset dataset = Dataset::open(file, path);
  const bool is_integer = dataset.stored() == Stored::integer;
  const bool is_float = !is_integer && dataset.stored() != Stored::other;
  if (std::is_floating_point_v<T> ? !is_float : !is_integer) {
    file.refuse(path, std::is_floating_point_v<T> ? "has a type that is no floating-point number"
                                                  : "has a type that is no whole number");
  }
  std::vector<T> values(dataset.all().size());
  dataset.read(dataset.all(), type_of<T>(), values.data());
  return values;
}

/// One-dimensional datasets of texts (UTF-8; NUL becomes U+2400) and of byte strings (vlen uint8).
void write_texts(const File& file, const std::string& path, const std::vector<std::string>& texts);
void write_byte_strings(const File& file, const std::string& path,
                        const std::vector<std::string>& strings);
std::vector<std::string> read_texts(const File& file, const std::string& path);
std::vector<std::string> read_byte_strings(const File& file, const std::string& path);

}  // namespace qaq::h5
