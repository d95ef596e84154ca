#pragma once

#include <string>
#include <vector>

#include "data/capture/h5_file.h"

namespace qaq::h5 {

/// Makes a one-dimensional dataset a dimension scale of that name. Only for the HDF5 thread.
void make_scale(const File& file, const std::string& path, const std::string& name);

/// Labels the axes of a dataset and attaches the scale `folder`/NAME to each; a "" has neither, and
/// a scale that is not there is left out.
void attach_scales(const File& file, const std::string& path, const std::string& folder,
                   const std::vector<std::string>& names);

/// Takes all scales off a dataset, so that none refers to it once it is removed.
void detach_scales(const File& file, const std::string& path);

}  // namespace qaq::h5
