#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model_source.h"

namespace qaq::gpu_check {

/// The first layers of a model, as pack_model (developer/) leaves them: manifest.json, and
/// weights.bin with the tensors as stored. Its vocabulary are the tokens whose rows travelled.
class SliceModel : public ModelSource {
 public:
  /// Throws Error{input}.
  explicit SliceModel(const std::string& folder);

  const ModelSpec& spec() const override { return spec_; }
  WeightView weight(WeightRole role, std::int64_t layer) const override;
  const std::string& file() const override { return folder_; }
  /// Of the whole model's file.
  const std::string& sha256() const override { return sha256_; }

  /// What the tokens of the whole model are called here. Throws Error{input} for one that did not
  /// travel.
  std::vector<std::int32_t> ids_of(const std::vector<std::int64_t>& tokens) const;

 private:
  std::string folder_;
  std::string sha256_;
  ModelSpec spec_;
  std::vector<std::byte> bytes_;
  std::map<std::pair<WeightRole, std::int64_t>, WeightView> weights_;
  std::map<std::int64_t, std::int32_t> ids_;
};

/// What manifest.json calls a role.
const char* role_name(WeightRole role);
/// The roles of a slice, in the order of weights.bin; those of a layer once for each.
const std::vector<WeightRole>& slice_roles();

}  // namespace qaq::gpu_check
