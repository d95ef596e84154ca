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
    file.require(H5DSset_label(dataset.id(), axis, name.c_str()) >= 0, path, "cannot be labelled");
    const std::string place = folder + "/" + name;
    if (!file.has(place)) continue;
    const Handle scale = file.open(place);
    file.require(H5DSattach_scale(dataset.id(), scale.id(), axis) >= 0, path,
                 "cannot be given its scales");
  }
}

void detach_scales(const File& file, const std::string& path) {
  const Handle dataset = file.open(path);
  const auto detach = [](hid_t of, unsigned axis, hid_t scale, void*) -> herr_t {
    return H5DSdetach_scale(of, scale, axis);
  };
  const Handle space{H5Dget_space(dataset.id()), H5Sclose};
  const int rank = H5Sget_simple_extent_ndims(space.id());
  for (int axis = 0; axis < rank; ++axis) {
    const auto i = static_cast<unsigned>(axis);
    while (H5DSget_num_scales(dataset.id(), i) > 0) {
      int first = 0;
      file.require(H5DSiterate_scales(dataset.id(), i, &first, detach, nullptr) >= 0, path,
                   "cannot be freed of its scales");
    }
  }
}

}  // namespace qaq::h5
