#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "data/models/hf_files.h"
#include "data/models/lazy_bytes.h"
#include "data/models/model_file.h"
#include "data/models/stored_part.h"
#include "data/models/weight_table.h"

namespace qaq {

/// A model in a Hugging Face folder. Weights stay in the mapped files, with their rows in
/// half-split order already, apart from those that are stored together or transposed: those are
/// copied when they are first asked for. Thread-safe.
class HfModel final : public ModelFile {
 public:
  /// `path` is the folder or a safetensors file in it. Throws Error{input} where the files, the
  /// config or the tensors cannot be run.
  explicit HfModel(const std::string& path) : HfModel(path, HfFiles(path)) {}
  HfModel(const std::string& path, HfFiles files);

  const GgufFile* gguf() const override { return nullptr; }
  const std::string& folder() const override { return files_.folder(); }
  const ModelSpec& spec() const override { return spec_; }
  WeightView weight(WeightRole role, std::int64_t layer) const override;
  const std::string& file() const override { return file_; }
  const std::string& sha256() const override;

 private:
  std::string file_;
  HfFiles files_;
  ModelSpec spec_;
  WeightTable weights_;
  StoredOrder order_;
  mutable std::vector<LazyBytes> moved_;  ///< by layer and role
  mutable std::once_flag hashed_;
  mutable std::string sha256_;
};

/// The spec of a folder's model, whole. Throws Error{input}.
ModelSpec spec_of(const HfFiles& files);

}  // namespace qaq
