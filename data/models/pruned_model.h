#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/model/weight_pruning.h"
#include "data/models/model_file.h"

namespace qaq {

/// A model with a share of the weights of each linear map at 0, those of least magnitude
/// (core/model/weight_pruning.h). Holds the pruned matrices; all else is the model's own. Its name
/// says the share, and its hash is of the model's hash and the share, so that no result of it is
/// taken for one of the whole model. Thread-safe.
class PrunedModel final : public ModelFile {
 public:
  /// `share` is above 0 and below 1. Prunes all layers, in parallel over their matrices. Throws
  /// Error{interrupted} when stopped.
  PrunedModel(std::shared_ptr<const ModelFile> model, double share, const Work& work);

  const GgufFile* gguf() const override { return model_->gguf(); }
  const std::string& folder() const override { return model_->folder(); }
  const ModelSpec& spec() const override { return spec_; }
  WeightView weight(WeightRole role, std::int64_t layer) const override;
  const std::string& file() const override { return model_->file(); }
  const std::string& sha256() const override;

 private:
  std::size_t place(WeightRole role, std::int64_t layer) const;

  std::shared_ptr<const ModelFile> model_;
  std::string what_;  // "prune_weights 0.3"
  ModelSpec spec_;
  std::vector<PrunedWeight> weights_;  // by role and layer; those of other roles are empty
  mutable std::once_flag hashed_;
  mutable std::string sha256_;
};

/// The model with that share pruned; the model itself where it is 0. Throws Error{work} where the
/// pruned matrices do not fit into `available_bytes`.
std::shared_ptr<const ModelFile> pruned_model(std::shared_ptr<const ModelFile> model, double share,
                                              std::int64_t available_bytes, const Work& work = {});

}  // namespace qaq
