#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace qaq {

/// A regular file mapped read-only into memory for as long as the object lives.
class MappedFile {
 public:
  /// Throws Error{input} where there is no such file, it is no regular file or may not be read.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace qaq
