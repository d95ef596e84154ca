#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model_source.h"
#include "core/tensor/dtype.h"

namespace qaq::test {

/// A model whose matrices are rounded to 16 bits, as a backend in 16 bits holds them: what its
/// results are held against on the CPU. Vectors stay as they are.
class RoundedModel : public ModelSource {
 public:
  RoundedModel(std::shared_ptr<const ModelSource> model, DType dtype)
      : model_(std::move(model)), dtype_(dtype) {}

  const ModelSpec& spec() const override { return model_->spec(); }
  const std::string& file() const override { return model_->file(); }
  const std::string& sha256() const override { return model_->sha256(); }
  WeightView weight(WeightRole role, std::int64_t layer) const override {
    WeightView view = model_->weight(role, layer);
    if (view.rows == 1) return view;
    std::vector<std::byte>& bytes = rounded_[view.name];
    if (bytes.empty()) {
      std::vector<float> numbers(static_cast<std::size_t>(view.rows * view.cols));
      decode_matrix(view, {numbers.data(), {view.rows, view.cols}});
      bytes.resize(2 * numbers.size());
      store_as(numbers, dtype_, bytes.data());
    }
    view.type = dtype_ == DType::f16 ? WeightType::f16 : WeightType::bf16;
    view.bytes = bytes;
    return view;
  }

 private:
  std::shared_ptr<const ModelSource> model_;
  DType dtype_;
  mutable std::map<std::string, std::vector<std::byte>> rounded_;
};

}  // namespace qaq::test
