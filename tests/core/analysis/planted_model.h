#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model_source.h"
#include "core/tensor/nd_array.h"

namespace qaq::test {

/// A model with some of its weights changed: what a test plants.
class PlantedModel : public ModelSource {
 public:
  using Edit = std::function<void(const NdView<float, 2>& weight)>;

  explicit PlantedModel(std::shared_ptr<const ModelSource> model) : model_(std::move(model)) {}

  /// Changes a weight, (rows, cols); `layer` is 0 for the roles that a model has once.
  void edit(WeightRole role, std::int64_t layer, const Edit& change) {
    const WeightView view = model_->weight(role, layer);
    NdArray<float, 2> numbers({view.rows, view.cols});
    decode_matrix(weight(role, layer), numbers.view());
    change(numbers.view());
    std::vector<std::byte>& bytes = edited_[{role, layer}];
    const auto all = std::as_bytes(numbers.span());
    bytes.assign(all.begin(), all.end());
  }

  const ModelSpec& spec() const override { return model_->spec(); }
  const std::string& file() const override { return model_->file(); }
  const std::string& sha256() const override { return model_->sha256(); }
  WeightView weight(WeightRole role, std::int64_t layer) const override {
    WeightView view = model_->weight(role, layer);
    const auto found = edited_.find({role, is_layer_role(role) ? layer : 0});
    if (found == edited_.end()) return view;
    view.type = WeightType::f32;
    view.bytes = found->second;
    return view;
  }

 private:
  std::shared_ptr<const ModelSource> model_;
  std::map<std::pair<WeightRole, std::int64_t>, std::vector<std::byte>> edited_;
};

}  // namespace qaq::test
