#pragma once

#include <string>
#include <vector>

#include "data/capture/h5_file.h"

namespace qaq {

/// Names of the runs of an open capture, in alphabetical order. For the HDF5 thread.
std::vector<std::string> run_names(const h5::File& file);

}  // namespace qaq
