#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "data/models/gguf_parser.h"
#include "data/models/mapped_file.h"

namespace qaq {

/// A GGUF file, mapped into memory and checked as a container (parse_gguf says how): every key has
/// a value, every tensor's bytes lie in the file. Whether it holds a model that can be run is
/// open_model's question, so files of other kinds can be listed.
class GgufFile {
 public:
  /// `path` is kept as the name for messages. Throws Error{input}.
  explicit GgufFile(const std::string& path);

  const std::string& file() const { return contents_.metadata.file(); }
  std::uint32_t version() const { return contents_.version; }
  std::uint64_t alignment() const { return contents_.alignment; }
  std::size_t n_bytes() const { return map_.bytes().size(); }
  const GgufMetadata& metadata() const { return contents_.metadata; }
  /// In the file's order.
  const std::vector<GgufTensor>& tensors() const { return contents_.tensors; }
  const GgufTensor* find_tensor(std::string_view name) const;
  /// Lower-case SHA-256 of the file. Costs a pass over it; computed once.
  const std::string& sha256() const;

 private:
  MappedFile map_;
  GgufContents contents_;
  std::map<std::string, std::size_t, std::less<>> index_;
  mutable std::once_flag hashed_;
  mutable std::string sha256_;
};

}  // namespace qaq
