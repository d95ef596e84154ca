#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "data/capture/h5_handle.h"

namespace qaq::h5 {

enum class Access { read, modify, create };

/// An open HDF5 file whose failures name the file and the HDF5 path: Error{input} of a file that is
/// read, Error{work} of one that is written. Paths are absolute ("/entry/kv/key"). Only for the
/// HDF5 thread.
class File {
 public:
  /// Reading takes no lock, so that a file can be looked at while others use it.
  File(const std::string& name, Access access);

  const std::string& name() const { return name_; }
  hid_t id() const { return file_.id(); }

  /// True where `path` leads to an object in this file. Links into other files are refused
  /// (Error{input}) and never followed.
  bool has(const std::string& path) const { return !resolved(path, 0).empty(); }
  /// Opens a group or dataset that must be there. Follows hard links, and soft links within the
  /// file.
  Handle open(const std::string& path) const;
  /// Creates a group; its parent exists.
  Handle create_group(const std::string& path) const;

  /// Names of a group's members, in alphabetical order.
  std::vector<std::string> members(const std::string& group) const;
  /// Takes an object's name away, and gives it another in this file.
  void remove(const std::string& path) const;
  void move(const std::string& from, const std::string& to) const;

  /// Throws, with what the library says, unless `good`.
  void require(bool good, const std::string& place, const char* doing) const {
    if (!good) fail(place, doing);
  }
  /// Throws Error{input}: the file's content is not what it must be. No cure: to copy the file or
  /// capture again.
  [[noreturn]] void refuse(const std::string& place, const std::string& what,
                           const std::string& cure = {}) const;

  /// Writes everything out; throws where that fails.
  void flush() const;
  /// The same, and closes.
  void close();

 private:
  [[noreturn]] void fail(const std::string& place, const std::string& doing) const;
  [[noreturn]] void fail_to_open() const;
  std::string resolved(const std::string& path, int n_links) const;

  std::string name_;
  Access access_;
  Handle file_;
};

}  // namespace qaq::h5
