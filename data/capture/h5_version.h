#pragma once

#include <string>

namespace qaq {

/// The version of the HDF5 library that runs: "1.10.8".
std::string hdf5_version();

}  // namespace qaq
