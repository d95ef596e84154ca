#pragma once

#include "core/replay/capture_view.h"
#include "data/capture/h5_file.h"

namespace qaq {

/// Reads what is small and checks the layout of everything: format and version, that what must be
/// there is there, shapes against each other and the model, types, ids. Numbers of keys, values,
/// queries and scores are left to who reads them. Throws Error{input} naming the HDF5 path. For the
/// HDF5 thread.
CaptureInfo read_capture_info(const h5::File& file);

}  // namespace qaq
