#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "core/model/families.h"
#include "data/models/gguf_parts.h"
#include "data/models/lazy_bytes.h"
#include "data/models/model_file.h"
#include "data/models/weight_table.h"

namespace qaq {

/// A model in a GGUF file or in the parts of one. Weights stay in the mapped files, apart from rows
/// of queries and keys that are stored interleaved: those are copied in half-split order when they
/// are first asked for. Thread-safe.
class GgufModel final : public ModelFile {
 public:
  /// Throws Error{input} where the files, their metadata or tensors cannot be run.
  explicit GgufModel(const std::string& path) : GgufModel(GgufParts(path)) {}
  explicit GgufModel(GgufParts parts);

  const GgufFile* gguf() const override { return &parts_.first(); }
  const std::string& folder() const override { return folder_; }
  const ModelSpec& spec() const override { return spec_; }
  WeightView weight(WeightRole role, std::int64_t layer) const override;
  const std::string& file() const override { return parts_.file(); }
  const std::string& sha256() const override;

 private:
  GgufParts parts_;
  std::string folder_;  ///< none
  const Family& family_;
  ModelSpec spec_;
  WeightTable weights_;
  mutable std::vector<LazyBytes> reordered_;  ///< by role and layer
  mutable std::once_flag hashed_;
  mutable std::string sha256_;
};

}  // namespace qaq
