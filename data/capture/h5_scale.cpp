#include "data/capture/h5_scale.h"

#include <hdf5_hl.h>

namespace qaq::h5 {

void make_scale(const File& file, const std::string& path, const std::string& name) {
  const Handle scale = file.open(path);
  file.require(H5DSset_scale(scale.id(), name.c_str()) >= 0, path, "cannot become a scale");
}

void attach_scales(const File& file, const std::string& path, const std::string& folder,
                   const std::vector<std::string>& names) {
  const Handle dataset = file.open(path);
  for (unsigned axis = 0; axis < names.size(); ++axis) {
    const std::string& name = names[axis];
    if (name.empty()) continue;
    const Handle scale = file.open(folder + "/" + name);
    file.require(H5DSset_label(dataset.id(), axis, name.c_str()) >= 0 &&
                     H5DSattach_scale(dataset.id(), scale.id(), axis) >= 0,
                 path, "cannot be given its scales");
  }
}

}  // namespace qaq::h5
