#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "data/models/mapped_file.h"
#include "data/models/safetensors_header.h"

namespace qaq {

/// A safetensors file, mapped into memory and checked as a container (parse_safetensors says how).
class SafetensorsFile {
 public:
  /// `path` is kept as the name for messages. Throws Error{input}.
  explicit SafetensorsFile(const std::string& path);

  const std::string& file() const { return file_; }
  std::size_t n_bytes() const { return map_.bytes().size(); }
  const std::vector<StoredTensor>& tensors() const { return contents_.tensors; }
  const std::vector<std::pair<std::string, std::string>>& metadata() const {
    return contents_.metadata;
  }
  /// Lower-case SHA-256 of the file. Costs a pass over it; computed once.
  const std::string& sha256() const;

 private:
  std::string file_;
  MappedFile map_;
  SafetensorsContents contents_;
  mutable std::once_flag hashed_;
  mutable std::string sha256_;
};

}  // namespace qaq
