#pragma once

#include "core/replay/capture_view.h"
#include "data/capture/h5_dataset.h"

namespace qaq {

/// The extents that a capture with this info gives to axes of these names (see DatasetMeaning);
/// an axis without coordinates is 0.
h5::Extents expected_extents(const CaptureInfo& info, const std::vector<std::string>& axes);

/// Holds every dataset under /entry against `info`: those that a reader needs are there, every one
/// that is there has its shape and type, and the small ones only finite numbers. Returns the dtype
/// of keys. Throws Error{input}. For the HDF5 thread.
DType check_shapes(const h5::File& file, const CaptureInfo& info);

}  // namespace qaq
