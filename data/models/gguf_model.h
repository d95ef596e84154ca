#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "data/models/gguf_file.h"
#include "data/models/model_file.h"

namespace qaq {

/// A LLaMA model in a GGUF file. Weights stay in the mapped file, apart from the rows of queries
/// and keys, which are copied in half-split order when they are first asked for. Thread-safe.
class GgufModel final : public ModelFile {
 public:
  /// Throws Error{input} where the file, its metadata or its tensors cannot be run.
  explicit GgufModel(const std::string& path);

  const GgufFile* gguf() const override { return &gguf_; }
  const std::string& folder() const override { return folder_; }
  const ModelSpec& spec() const override { return spec_; }
  WeightView weight(WeightRole role, std::int64_t layer) const override;
  const std::string& file() const override { return gguf_.file(); }
  const std::string& sha256() const override { return gguf_.sha256(); }

 private:
  struct ReorderedRows {
    std::once_flag made;
    std::vector<std::byte> bytes;
  };

  GgufFile gguf_;
  std::string folder_;  ///< none
  ModelSpec spec_;
  mutable std::vector<ReorderedRows> reordered_;  ///< query and key of each layer
};

}  // namespace qaq
