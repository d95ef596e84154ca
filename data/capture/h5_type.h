#pragma once

#include <cstdint>

#include "core/tensor/dtype.h"
#include "data/capture/h5_handle.h"

namespace qaq::h5 {

/// How numbers lie in a file. float16 is an IEEE custom float type (h5py: `<f2`), bfloat16 is
/// uint16 with the attribute encoding="bfloat16": HDF5 1.10 has a predefined type for neither, and
/// custom bfloat16 floats are misread by other programs.
Handle file_type(DType dtype);
/// Text of any length, UTF-8, ends at a NUL.
Handle text_type();
/// Any number of uint8 an element.
Handle bytes_type();

/// How a dataset's numbers must be read.
enum class Stored {
  f32,              ///< little-endian IEEE, as in memory
  f16,              ///< little-endian IEEE half, ours to convert
  bf16,             ///< uint16, ours to convert
  converted_float,  ///< any other float (big-endian, float64): HDF5 converts to float32
  integer,
  other,
};

/// `type`: of a dataset; `is_bf16`: that it has the attribute encoding="bfloat16".
Stored stored_as(hid_t type, bool is_bf16);

}  // namespace qaq::h5
