#include "tests/support/reference_file.h"

#include <hdf5.h>
#include <stdexcept>
#include <utility>

namespace qaq::test {
namespace {

/// Closes an HDF5 identifier when it goes out of scope.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  hid_t id() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

void check(bool good, const std::string& path, const std::string& name, const char* what) {
  if (!good) throw std::runtime_error(path + ": " + name + ": " + what);
}

std::vector<std::int64_t> extent_of(hid_t space) {
  std::vector<hsize_t> extent(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, extent.data(), nullptr);
  return {extent.begin(), extent.end()};
}

// The reference data lies in a read-only source tree.
class FileAccess : public Handle {
 public:
  FileAccess() : Handle(H5Pcreate(H5P_FILE_ACCESS), H5Pclose) {
    H5Pset_file_locking(id(), false, true);
  }
};

// A dataset may be a link to another file, which is opened alike.
hid_t open_dataset(hid_t file, const std::string& name) {
  const FileAccess access;
  const Handle of_set(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_elink_fapl(of_set.id(), access.id());
  return H5Dopen2(file, name.c_str(), of_set.id());
}

}  // namespace

ReferenceFile::ReferenceFile(const std::string& path) : path_(path) {
  const FileAccess access;
  file_ = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id());
  check(file_ >= 0, path_, "/", "cannot be opened");
}

ReferenceFile::~ReferenceFile() {
  if (file_ >= 0) H5Fclose(file_);
}

bool ReferenceFile::has(const std::string& name) const {
  // H5Lexists wants every step of the way to exist.
  for (std::size_t end = name.find('/'); end != std::string::npos; end = name.find('/', end + 1)) {
    if (end > 0 && H5Lexists(file_, name.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return H5Lexists(file_, name.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> ReferenceFile::names(const std::string& group) const {
  std::vector<std::string> out;
  const auto add = [](hid_t, const char* name, const H5L_info_t*, void* to) -> herr_t {
    static_cast<std::vector<std::string>*>(to)->emplace_back(name);
    return 0;
  };
  const herr_t done = H5Literate_by_name(file_, group.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr,
                                         add, &out, H5P_DEFAULT);
  check(done >= 0, path_, group, "is no group");
  return out;
}

std::vector<std::int64_t> ReferenceFile::shape(const std::string& name) const {
  const Handle set(open_dataset(file_, name), H5Dclose);
  check(set.id() >= 0, path_, name, "is no dataset");
  const Handle space(H5Dget_space(set.id()), H5Sclose);
  return extent_of(space.id());
}

template <class T>
std::vector<T> ReferenceFile::read(const std::string& name, std::int64_t memory_type) const {
  const Handle set(open_dataset(file_, name), H5Dclose);
  check(set.id() >= 0, path_, name, "is no dataset");
  const Handle space(H5Dget_space(set.id()), H5Sclose);
  std::vector<T> out(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.id())));
  const herr_t done = H5Dread(set.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data());
  check(done >= 0, path_, name, "cannot be read");
  return out;
}

std::vector<float> ReferenceFile::floats(const std::string& name) const {
  return read<float>(name, H5T_NATIVE_FLOAT);
}

std::vector<double> ReferenceFile::doubles(const std::string& name) const {
  return read<double>(name, H5T_NATIVE_DOUBLE);
}

std::vector<std::int64_t> ReferenceFile::integers(const std::string& name) const {
  return read<std::int64_t>(name, H5T_NATIVE_INT64);
}

std::vector<std::uint8_t> ReferenceFile::bytes(const std::string& name) const {
  return read<std::uint8_t>(name, H5T_NATIVE_UINT8);
}

std::string ReferenceFile::text(const std::string& name) const {
  const std::vector<std::uint8_t> raw = bytes(name);
  return {raw.begin(), raw.end()};
}

bool ReferenceFile::has_attribute(const std::string& object, const std::string& name) const {
  return H5Aexists_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}

double ReferenceFile::number_attribute(const std::string& object, const std::string& name) const {
  const Handle attribute(
      H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  check(attribute.id() >= 0, path_, object + "@" + name, "is no attribute");
  double out = 0;
  check(H5Aread(attribute.id(), H5T_NATIVE_DOUBLE, &out) >= 0, path_, object + "@" + name,
        "is no number");
  return out;
}

std::vector<std::int64_t> ReferenceFile::integers_attribute(const std::string& object,
                                                            const std::string& name) const {
  const Handle attribute(
      H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  check(attribute.id() >= 0, path_, object + "@" + name, "is no attribute");
  const Handle space(H5Aget_space(attribute.id()), H5Sclose);
  std::vector<std::int64_t> out(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.id())));
  check(H5Aread(attribute.id(), H5T_NATIVE_INT64, out.data()) >= 0, path_, object + "@" + name,
        "holds no integers");
  return out;
}

std::string ReferenceFile::text_attribute(const std::string& object,
                                          const std::string& name) const {
  const Handle attribute(
      H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  check(attribute.id() >= 0, path_, object + "@" + name, "is no attribute");
  const Handle type(H5Aget_type(attribute.id()), H5Tclose);
  check(H5Tget_class(type.id()) == H5T_STRING, path_, object + "@" + name, "is no text");
  if (H5Tis_variable_str(type.id()) > 0) {
    char* read = nullptr;
    check(H5Aread(attribute.id(), type.id(), &read) >= 0 && read != nullptr, path_,
          object + "@" + name, "cannot be read");
    std::string out(read);
    H5free_memory(read);
    return out;
  }
  std::string out(H5Tget_size(type.id()), '\0');
  check(H5Aread(attribute.id(), type.id(), out.data()) >= 0, path_, object + "@" + name,
        "cannot be read");
  out.erase(out.find_last_not_of('\0') + 1);
  return out;
}

}  // namespace qaq::test
