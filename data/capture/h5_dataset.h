#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/capture/h5_file.h"
#include "data/capture/h5_type.h"

namespace qaq::h5 {

using Extents = std::vector<hsize_t>;

/// "1 x 3 x 512 x 64".
std::string extents_text(const Extents& extents);

/// How a new dataset lies in the file. No chunk: contiguous.
struct Layout {
  Extents chunk{};
  Extents largest{};    ///< extents that it may grow to; needs chunks
  int deflate = 0;      ///< with shuffle; 0: plain
  bool placed = false;  ///< has its place in the file from the start (contiguous ones only)
};

/// A block of a dataset: the first index and the number of elements on each axis.
struct Slab {
  Extents first;
  Extents count;

  std::size_t size() const;
};

/// One dataset of an open file, which must outlive it. Only for the HDF5 thread.
class Dataset {
 public:
  /// Opens what is there and refuses (Error{input}) whatever would make HDF5 read other files or
  /// code, or allocate more than the file can hold: external and virtual storage, filters that are
  /// not part of the library, extents that storage does not cover.
  static Dataset open(const File& file, const std::string& path);
  static Dataset create(const File& file, const std::string& path, hid_t type,
                        const Extents& extents, const Layout& layout = {});

  const std::string& path() const { return path_; }
  hid_t id() const { return dataset_.id(); }
  const Extents& extents() const { return extents_; }
  Slab all() const { return {Extents(extents_.size(), 0), extents_}; }
  Stored stored() const { return stored_; }
  /// Where a contiguous dataset that has its place begins in the file, bytes.
  std::int64_t offset() const;

  void grow(const Extents& extents);
  /// Row-major; `data` holds slab.size() elements of `memory_type`.
  void read(const Slab& slab, hid_t memory_type, void* data) const;
  void write(const Slab& slab, hid_t memory_type, const void* data) const;
  /// Stores a chunk as its filters would have left it.
  void write_chunk(const Extents& first, std::span<const std::byte> packed) const;

 private:
  Dataset(const File& file, std::string path) : file_(&file), path_(std::move(path)) {}
  void refuse_foreign_storage() const;
  void refuse_unstored() const;
  void describe();
  Handle selected(const Slab& slab) const;

  const File* file_;
  std::string path_;
  Handle dataset_;
  Extents extents_;
  Stored stored_ = Stored::other;
};

}  // namespace qaq::h5
