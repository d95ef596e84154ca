#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/models/gguf_file.h"
#include "data/models/stored_tensor.h"

namespace qaq {

/// A GGUF model: one file, or all parts of a split one, which are named NAME-00001-of-00003.gguf
/// and numbered from 0 by `split.no`. The first part holds the metadata.
class GgufParts {
 public:
  /// Opens `path`, and the other parts if it is one. Throws Error{input}, naming a part that is
  /// missing or belongs to another model.
  explicit GgufParts(const std::string& path);

  /// The part with the metadata and the tokenizer.
  const GgufFile& first() const { return *parts_.front(); }
  const GgufMetadata& metadata() const { return first().metadata(); }
  const std::vector<std::unique_ptr<GgufFile>>& files() const { return parts_; }
  /// Of all parts.
  const GgufTensor* find_tensor(std::string_view name) const;
  std::vector<StoredTensor> tensors() const;
  /// The name as given, for messages.
  const std::string& file() const { return file_; }
  /// SHA-256 of one file; of several that of their hashes, one after the other. Computed once.
  std::string sha256() const;

 private:
  void open_other_parts(std::int64_t count);

  std::string file_;
  std::vector<std::unique_ptr<GgufFile>> parts_;  ///< by split.no
};

}  // namespace qaq
