#pragma once

#include <string>

namespace qaq {

/// A file under its name while it is written, `path`.partial: gone when this goes out of scope, or
/// whole under its final name.
class PartialFile {
 public:
  explicit PartialFile(std::string path) : path_(std::move(path)) {}
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile();

  static std::string name_of(const std::string& path) { return path + ".partial"; }
  /// The same, for who is about to write: throws Error{work} where `path` is a folder or a device,
  /// which the whole file would replace.
  static std::string name_for_writing(const std::string& path);
  /// Gives the file its final name, replacing what has it. Throws Error{work}.
  void rename();

 private:
  std::string path_;
  bool renamed_ = false;
};

}  // namespace qaq
