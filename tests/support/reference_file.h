#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qaq::test {

/// One HDF5 file of reference data, read with the HDF5 library alone so that it shares no code with
/// what it is held against. Datasets are read whole, row-major, whatever their rank; HDF5 converts
/// between number types. Every failure throws std::runtime_error that names the file and the path.
class ReferenceFile {
 public:
  explicit ReferenceFile(const std::string& path);
  ~ReferenceFile();
  ReferenceFile(const ReferenceFile&) = delete;
  ReferenceFile& operator=(const ReferenceFile&) = delete;

  /// True where the object (dataset or group) is there: "configs/001/n_bits".
  bool has(const std::string& name) const;
  /// Names of the members of a group, in alphabetical order.
  std::vector<std::string> names(const std::string& group) const;

  std::vector<std::int64_t> shape(const std::string& name) const;
  std::vector<float> floats(const std::string& name) const;
  std::vector<double> doubles(const std::string& name) const;
  std::vector<std::int64_t> integers(const std::string& name) const;
  std::vector<std::uint8_t> bytes(const std::string& name) const;
  /// A dataset of bytes as text (`prompt_utf8`).
  std::string text(const std::string& name) const;

  /// Attributes of `object`; "/" is the file's root.
  bool has_attribute(const std::string& object, const std::string& name) const;
  double number_attribute(const std::string& object, const std::string& name) const;
  std::vector<std::int64_t> integers_attribute(const std::string& object,
                                               const std::string& name) const;
  std::string text_attribute(const std::string& object, const std::string& name) const;

 private:
  template <class T>
  std::vector<T> read(const std::string& name, std::int64_t memory_type) const;

  std::string path_;
  std::int64_t file_ = -1;  // an hid_t
};

}  // namespace qaq::test
