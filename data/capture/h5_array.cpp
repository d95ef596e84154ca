#include "data/capture/h5_array.h"

#include <algorithm>

#include "core/base/text.h"
#include "data/capture/h5_attribute.h"

namespace qaq::h5 {
namespace {

/// Frees what HDF5 allocated for variable-length elements.
class VlenBuffer {
 public:
  VlenBuffer(const Dataset& dataset, hid_t type, void* data)
      : space_(H5Dget_space(dataset.id()), H5Sclose), type_(type), data_(data) {}
  VlenBuffer(const VlenBuffer&) = delete;
  VlenBuffer& operator=(const VlenBuffer&) = delete;
  ~VlenBuffer() { H5Dvlen_reclaim(type_, space_.id(), H5P_DEFAULT, data_); }

 private:
  Handle space_;
  hid_t type_;
  void* data_;
};

H5T_class_t class_of(const Handle& type) { return H5Tget_class(type.id()); }
Handle type_in(const Dataset& dataset) { return {H5Dget_type(dataset.id()), H5Tclose}; }

}  // namespace

void write_texts(const File& file, const std::string& path, const std::vector<std::string>& texts) {
  std::vector<std::string> safe;
  for (const std::string& text : texts) safe.push_back(without_nul(text));
  std::vector<const char*> pointers;
  for (const std::string& text : safe) pointers.push_back(text.c_str());
  const Handle type = text_type();
  const Dataset dataset = Dataset::create(file, path, type.id(), {texts.size()});
  dataset.write(dataset.all(), type.id(), pointers.data());
}

void write_byte_strings(const File& file, const std::string& path,
                        const std::vector<std::string>& strings) {
  std::vector<hvl_t> elements;
  for (const std::string& bytes : strings) {
    elements.push_back({bytes.size(), const_cast<char*>(bytes.data())});
  }
  const Handle type = bytes_type();
  const Dataset dataset = Dataset::create(file, path, type.id(), {strings.size()});
  dataset.write(dataset.all(), type.id(), elements.data());
}

std::vector<std::string> read_texts(const File& file, const std::string& path) {
  const Dataset dataset = Dataset::open(file, path);
  const Handle type = type_in(dataset);
  if (class_of(type) != H5T_STRING) file.refuse(path, "has a type that is no text");
  const std::size_t n = dataset.all().size();
  std::vector<std::string> texts;
  if (H5Tis_variable_str(type.id()) > 0) {
    std::vector<char*> pointers(n, nullptr);
    const VlenBuffer owner(dataset, type.id(), pointers.data());
    dataset.read(dataset.all(), type.id(), pointers.data());
    for (const char* text : pointers) texts.emplace_back(text ? text : "");
  } else {
    const std::size_t width = H5Tget_size(type.id());
    std::string all(n * width, '\0');
    dataset.read(dataset.all(), type.id(), all.data());
    for (std::size_t i = 0; i < n; ++i) {
      const std::string text = all.substr(i * width, width);
      texts.push_back(text.substr(0, text.find('\0')));
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (invalid_utf8_offset(texts[i])) file.refuse(path, cat("text ", i, " is not UTF-8"));
  }
  return texts;
}

std::vector<std::string> read_byte_strings(const File& file, const std::string& path) {
  const Dataset dataset = Dataset::open(file, path);
  const Handle type = type_in(dataset);
  const bool is_vlen = class_of(type) == H5T_VLEN;
  const Handle element{is_vlen ? H5Tget_super(type.id()) : H5I_INVALID_HID, H5Tclose};
  if (!is_vlen || class_of(element) != H5T_INTEGER || H5Tget_size(element.id()) != 1) {
    file.refuse(path, "has a type that is no variable-length list of bytes");
  }
  std::vector<hvl_t> elements(dataset.all().size(), hvl_t{0, nullptr});
  const VlenBuffer owner(dataset, type.id(), elements.data());
  dataset.read(dataset.all(), type.id(), elements.data());
  std::vector<std::string> strings;
  for (const hvl_t& bytes : elements) {
    strings.emplace_back(static_cast<const char*>(bytes.p), bytes.len);
  }
  return strings;
}

}  // namespace qaq::h5
