#include "data/capture/h5_dataset.h"

#include <algorithm>

#include "core/base/text.h"
#include "data/capture/h5_attribute.h"

namespace qaq::h5 {
namespace {

Handle simple_space(const Extents& extents, const Extents& largest = {}) {
  return {H5Screate_simple(static_cast<int>(extents.size()), extents.data(),
                           largest.empty() ? nullptr : largest.data()),
          H5Sclose};
}

bool is_vlen(hid_t type) { return H5Tget_class(type) == H5T_VLEN || H5Tis_variable_str(type) > 0; }

Handle creation_properties(const Layout& layout, hid_t type) {
  Handle properties{H5Pcreate(H5P_DATASET_CREATE), H5Pclose};
  // The same run makes the same bytes, whenever it is written.
  H5Pset_obj_track_times(properties.id(), false);
  if (layout.chunk.empty()) {
    // Every number is written, so none needs a fill value first. References to text do.
    if (!is_vlen(type)) H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER);
    if (layout.placed) H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_EARLY);
    return properties;
  }
  H5Pset_chunk(properties.id(), static_cast<int>(layout.chunk.size()), layout.chunk.data());
  H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_INCR);
  // What a dataset grows into must read as zero: attention above the diagonal.
  H5Pset_fill_time(properties.id(), H5D_FILL_TIME_ALLOC);
  if (layout.deflate > 0) {
    H5Pset_shuffle(properties.id());
    H5Pset_deflate(properties.id(), static_cast<unsigned>(layout.deflate));
  }
  return properties;
}

Handle access_properties(const Layout& layout) {
  Handle properties{H5Pcreate(H5P_DATASET_ACCESS), H5Pclose};
  if (!layout.chunk.empty() && layout.deflate == 0) {
    // Rows go straight to their place in the file. Through the cache, one decoded token would read
    // and write whole chunks.
    H5Pset_chunk_cache(properties.id(), H5D_CHUNK_CACHE_NSLOTS_DEFAULT, 0,
                       H5D_CHUNK_CACHE_W0_DEFAULT);
  }
  return properties;
}

bool every_build_has(H5Z_filter_t filter) {
  return filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE ||
         filter == H5Z_FILTER_FLETCHER32 || filter == H5Z_FILTER_SZIP ||
         filter == H5Z_FILTER_NBIT || filter == H5Z_FILTER_SCALEOFFSET;
}

}  // namespace

std::string extents_text(const Extents& extents) {
  std::string text;
  for (const hsize_t extent : extents) text += cat(text.empty() ? "" : " x ", extent);
  return text.empty() ? "scalar" : text;
}

std::size_t Slab::size() const {
  std::size_t n = 1;
  for (const hsize_t extent : count) n *= extent;
  return n;
}

Dataset Dataset::open(const File& file, const std::string& path) {
  Dataset out(file, path);
  out.dataset_ = file.open(path);
  if (H5Iget_type(out.id()) != H5I_DATASET) file.refuse(path, "is not a dataset");
  // Before anything asks for its extents, which for virtual storage can open other files.
  out.refuse_foreign_storage();
  out.describe();
  out.refuse_unstored();
  return out;
}

Dataset Dataset::create(const File& file, const std::string& path, hid_t type,
                        const Extents& extents, const Layout& layout) {
  Dataset out(file, path);
  // Named, because closing a temporary would wipe the library's reason for a failure.
  const Handle space = simple_space(extents, layout.largest);
  const Handle creation = creation_properties(layout, type);
  const Handle access = access_properties(layout);
  out.dataset_ = {H5Dcreate2(file.id(), path.c_str(), type, space.id(), H5P_DEFAULT, creation.id(),
                             access.id()),
                  H5Dclose};
  file.require(static_cast<bool>(out.dataset_), path, "cannot be created");
  out.extents_ = extents;
  return out;
}

void Dataset::refuse_foreign_storage() const {
  const Handle properties{H5Dget_create_plist(id()), H5Pclose};
  file_->require(static_cast<bool>(properties), path_, "cannot be read");
  if (H5Pget_external_count(properties.id()) > 0) {
    file_->refuse(path_, "keeps its data in external files, which are never opened",
                  "write a capture that holds its data itself");
  }
  if (H5Pget_layout(properties.id()) == H5D_VIRTUAL) {
    file_->refuse(path_, "is a virtual dataset over other files, which are never opened",
                  "copy the data into the capture");
  }
  const int n_filters = H5Pget_nfilters(properties.id());
  for (int i = 0; i < n_filters; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t n_values = 0;
    char name[64] = "";
    const H5Z_filter_t filter = H5Pget_filter2(properties.id(), static_cast<unsigned>(i), &flags,
                                               &n_values, nullptr, sizeof name, name, &config);
    // A filter from elsewhere would be searched for among plug-ins on this machine.
    if (!every_build_has(filter) || H5Zfilter_avail(filter) <= 0) {
      file_->refuse(path_,
                    cat("is compressed with filter ", filter, " (", name,
                        "), which is not part of the HDF5 library"),
                    "repack it where the filter is there: h5repack -f SHUF -f GZIP=1 IN OUT");
    }
  }
}

void Dataset::describe() {
  const Handle space{H5Dget_space(id()), H5Sclose};
  const Handle type{H5Dget_type(id()), H5Tclose};
  const int rank = space ? H5Sget_simple_extent_ndims(space.id()) : -1;
  file_->require(rank >= 0 && type, path_, "cannot be read");
  extents_.resize(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.id(), extents_.data(), nullptr);
  const bool may_be_bf16 = H5Tget_class(type.id()) == H5T_INTEGER;
  stored_ =
      stored_as(type.id(), may_be_bf16 && Attributes(*file_, path_).text("encoding") == "bfloat16");
}

// A few hundred bytes may declare terabytes: believe extents only as far as storage covers them.
void Dataset::refuse_unstored() const {
  const Handle type{H5Dget_type(id()), H5Tclose};
  const Handle properties{H5Dget_create_plist(id()), H5Pclose};
  // Deflate packs 1032 to 1 at best; references to text and vlen data are never smaller than 1
  // byte.
  const double element_bytes = is_vlen(type.id()) ? 1 : static_cast<double>(H5Tget_size(type.id()));
  const double packed = H5Pget_nfilters(properties.id()) > 0 ? 1100.0 : 1.0;
  double needed = element_bytes;
  for (const hsize_t extent : extents_) needed *= static_cast<double>(extent);
  if (needed > 0 && H5Pget_layout(properties.id()) == H5D_CHUNKED) {
    // A chunk is read whole, even where it reaches far beyond the extents.
    Extents chunk(extents_.size());
    H5Pget_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
    double chunk_bytes = element_bytes;
    for (const hsize_t extent : chunk) chunk_bytes *= static_cast<double>(extent);
    needed = std::max(needed, chunk_bytes);
  }
  const hsize_t stored = H5Dget_storage_size(id());
  if (needed > packed * static_cast<double>(stored)) {
    file_->refuse(path_,
                  cat("declares a shape of ", extents_text(extents_), ", but only ",
                      byte_text(static_cast<std::int64_t>(stored)), " are stored"),
                  "capture again");
  }
}

std::int64_t Dataset::offset() const {
  const haddr_t address = H5Dget_offset(id());
  file_->require(address != HADDR_UNDEF, path_, "has no place in the file");
  return static_cast<std::int64_t>(address);
}

void Dataset::grow(const Extents& extents) {
  if (extents == extents_) return;
  file_->require(H5Dset_extent(id(), extents.data()) >= 0, path_, "cannot be extended");
  extents_ = extents;
}

Handle Dataset::selected(const Slab& slab) const {
  Handle space{H5Dget_space(id()), H5Sclose};
  if (slab.size() == 0) {
    H5Sselect_none(space.id());
  } else if (!extents_.empty()) {
    file_->require(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, slab.first.data(), nullptr,
                                       slab.count.data(), nullptr) >= 0,
                   path_, "cannot be selected");
  }
  return space;
}

void Dataset::read(const Slab& slab, hid_t memory_type, void* data) const {
  if (slab.size() == 0) return;
  file_->require(H5Dread(id(), memory_type, simple_space(slab.count).id(), selected(slab).id(),
                         H5P_DEFAULT, data) >= 0,
                 path_, "cannot be read");
}

void Dataset::write(const Slab& slab, hid_t memory_type, const void* data) const {
  if (slab.size() == 0) return;
  file_->require(H5Dwrite(id(), memory_type, simple_space(slab.count).id(), selected(slab).id(),
                          H5P_DEFAULT, data) >= 0,
                 path_, "cannot be written");
}

void Dataset::write_chunk(const Extents& first, std::span<const std::byte> packed) const {
  file_->require(
      H5Dwrite_chunk(id(), H5P_DEFAULT, 0, first.data(), packed.size(), packed.data()) >= 0, path_,
      "cannot be written");
}

}  // namespace qaq::h5
