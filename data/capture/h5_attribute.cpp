#include "data/capture/h5_attribute.h"

#include <algorithm>

#include "core/base/text.h"
#include "data/capture/h5_type.h"

namespace qaq::h5 {
namespace {

Handle type_of(const Handle& attribute) { return {H5Aget_type(attribute.id()), H5Tclose}; }
Handle scalar_space() { return {H5Screate(H5S_SCALAR), H5Sclose}; }
Handle list_space(std::size_t n) {
  const hsize_t extent = n;
  return {H5Screate_simple(1, &extent, nullptr), H5Sclose};
}
hssize_t count_of(const Handle& attribute) {
  const Handle space{H5Aget_space(attribute.id()), H5Sclose};
  return H5Sget_simple_extent_npoints(space.id());
}

}  // namespace

std::string without_nul(const std::string& text) {
  if (text.find('\0') == std::string::npos) return text;
  std::string out;
  for (const char c : text) {
    if (c == '\0') {
      out += "\xe2\x90\x80";
    } else {
      out += c;
    }
  }
  return out;
}

Attributes::Attributes(const File& file, const std::string& path)
    : file_(file), path_(path), object_(file.open(path)) {}

Handle Attributes::find(const std::string& name) const {
  if (H5Aexists(object_.id(), name.c_str()) <= 0) return {};
  Handle attribute{H5Aopen(object_.id(), name.c_str(), H5P_DEFAULT), H5Aclose};
  file_.require(static_cast<bool>(attribute), place(name), "cannot be read");
  return attribute;
}

void Attributes::read_one(const std::string& name, hid_t attribute, hid_t memory_type,
                          void* out) const {
  file_.require(H5Aread(attribute, memory_type, out) >= 0, place(name), "cannot be read");
}

std::optional<std::string> Attributes::text(const std::string& name) const {
  const Handle attribute = find(name);
  if (!attribute) return std::nullopt;
  const Handle type = type_of(attribute);
  if (H5Tget_class(type.id()) != H5T_STRING || count_of(attribute) != 1) {
    file_.refuse(place(name), "is not one text");
  }
  std::string out;
  if (H5Tis_variable_str(type.id()) > 0) {
    char* value = nullptr;
    read_one(name, attribute.id(), type.id(), &value);
    out = value ? value : "";
    H5free_memory(value);
  } else {
    out.resize(H5Tget_size(type.id()));
    read_one(name, attribute.id(), type.id(), out.data());
    out.resize(std::min(out.size(), out.find('\0')));
  }
  if (invalid_utf8_offset(out)) file_.refuse(place(name), "is not UTF-8");
  return out;
}

std::optional<std::int64_t> Attributes::integer(const std::string& name) const {
  const Handle attribute = find(name);
  if (!attribute) return std::nullopt;
  if (H5Tget_class(type_of(attribute).id()) != H5T_INTEGER || count_of(attribute) != 1) {
    file_.refuse(place(name), "is not one whole number");
  }
  std::int64_t value = 0;
  read_one(name, attribute.id(), H5T_NATIVE_INT64, &value);
  return value;
}

std::optional<double> Attributes::real(const std::string& name) const {
  const Handle attribute = find(name);
  if (!attribute) return std::nullopt;
  const H5T_class_t type_class = H5Tget_class(type_of(attribute).id());
  if ((type_class != H5T_FLOAT && type_class != H5T_INTEGER) || count_of(attribute) != 1) {
    file_.refuse(place(name), "is not one number");
  }
  double value = 0;
  read_one(name, attribute.id(), H5T_NATIVE_DOUBLE, &value);
  return value;
}

std::optional<std::vector<std::int32_t>> Attributes::integers(const std::string& name) const {
  const Handle attribute = find(name);
  if (!attribute) return std::nullopt;
  const hssize_t n = count_of(attribute);
  if (n > 0 && H5Tget_class(type_of(attribute).id()) != H5T_INTEGER) {
    file_.refuse(place(name), "is not a list of whole numbers");
  }
  std::vector<std::int32_t> values(static_cast<std::size_t>(n < 0 ? 0 : n));
  if (!values.empty()) read_one(name, attribute.id(), H5T_NATIVE_INT32, values.data());
  return values;
}

std::optional<std::vector<float>> Attributes::reals(const std::string& name) const {
  const Handle attribute = find(name);
  if (!attribute) return std::nullopt;
  const hssize_t n = count_of(attribute);
  if (n > 0 && H5Tget_class(type_of(attribute).id()) != H5T_FLOAT) {
    file_.refuse(place(name), "is not a list of numbers");
  }
  std::vector<float> values(static_cast<std::size_t>(n < 0 ? 0 : n));
  if (!values.empty()) read_one(name, attribute.id(), H5T_NATIVE_FLOAT, values.data());
  return values;
}

void Attributes::write(const std::string& name, hid_t type, const Handle& space,
                       const void* data) const {
  const Handle attribute{
      H5Acreate2(object_.id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose};
  file_.require(attribute && (!data || H5Awrite(attribute.id(), type, data) >= 0), place(name),
                "cannot be written");
}

void Attributes::set(const std::string& name, const std::string& value) const {
  const std::string safe = without_nul(value);
  const char* text = safe.c_str();
  write(name, text_type().id(), scalar_space(), &text);
}

void Attributes::set(const std::string& name, const std::vector<std::string>& values) const {
  std::vector<const char*> texts;
  for (const std::string& value : values) texts.push_back(value.c_str());
  write(name, text_type().id(), list_space(texts.size()), texts.data());
}

void Attributes::set(const std::string& name, std::int64_t value) const {
  write(name, H5T_NATIVE_INT64, scalar_space(), &value);
}

void Attributes::set(const std::string& name, double value) const {
  write(name, H5T_NATIVE_DOUBLE, scalar_space(), &value);
}

void Attributes::set(const std::string& name, const std::vector<std::int32_t>& values) const {
  write(name, H5T_NATIVE_INT32, list_space(values.size()),
        values.empty() ? nullptr : values.data());
}

void Attributes::set(const std::string& name, const std::vector<float>& values) const {
  write(name, H5T_NATIVE_FLOAT, list_space(values.size()),
        values.empty() ? nullptr : values.data());
}

}  // namespace qaq::h5
