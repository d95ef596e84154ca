#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/model/model_source.h"

namespace qaq::gpu_check {

/// A model of some shape whose weights come from a seed: of use for speed alone. Its matrices are
/// 16-bit numbers, none zero, and view one buffer, each from another place of it, so that the host
/// holds the largest of them once.
class SeededModel : public ModelSource {
 public:
  SeededModel(const std::string& name, const ModelShape& shape);

  const ModelSpec& spec() const override { return spec_; }
  WeightView weight(WeightRole role, std::int64_t layer) const override;
  const std::string& file() const override { return spec_.name; }
  const std::string& sha256() const override { return sha256_; }

  /// Numbers of all matrices that every token is multiplied with: all but the embedding.
  std::int64_t n_multiplied() const;

 private:
  ModelSpec spec_;
  std::string sha256_ = std::string(64, '0');
  std::vector<std::uint16_t> matrices_;
  std::vector<float> vectors_;
};

/// Shapes of LLaMA-2, and one that the shim runs in no time.
ModelShape llama_7b_shape();
ModelShape llama_13b_shape();
ModelShape shim_shape();

}  // namespace qaq::gpu_check
