#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/capture/h5_file.h"

namespace qaq::h5 {

/// The attributes of one object. Reading gives nothing where an attribute is absent and refuses one
/// of the wrong type (place `/entry/model@n_heads`). Only for the HDF5 thread.
class Attributes {
 public:
  Attributes(const File& file, const std::string& path);

  std::optional<std::string> text(const std::string& name) const;
  std::optional<std::int64_t> integer(const std::string& name) const;
  std::optional<double> real(const std::string& name) const;
  std::optional<std::vector<std::int32_t>> integers(const std::string& name) const;
  std::optional<std::vector<float>> reals(const std::string& name) const;

  /// Text in HDF5 ends at a NUL: one inside `value` is written as the symbol U+2400.
  void set(const std::string& name, const std::string& value) const;
  void set(const std::string& name, const char* value) const { set(name, std::string(value)); }
  void set(const std::string& name, const std::vector<std::string>& values) const;
  void set(const std::string& name, std::int64_t value) const;
  void set(const std::string& name, double value) const;
  void set(const std::string& name, const std::vector<std::int32_t>& values) const;
  void set(const std::string& name, const std::vector<float>& values) const;

 private:
  Handle find(const std::string& name) const;
  void read_one(const std::string& name, hid_t attribute, hid_t memory_type, void* out) const;
  void write(const std::string& name, hid_t type, const Handle& space, const void* data) const;
  std::string place(const std::string& name) const { return path_ + "@" + name; }

  const File& file_;
  std::string path_;
  Handle object_;
};

/// `text` with every NUL as U+2400.
std::string without_nul(const std::string& text);

}  // namespace qaq::h5
