#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model_source.h"
#include "data/models/stored_tensor.h"

namespace qaq {

/// More layers than any model has: a larger count is damage, refused before anything is allocated
/// for it.
inline constexpr std::int64_t kMaxLayers = 65536;

/// What a file format calls things, for a WeightTable.
struct TensorNaming {
  std::function<std::string(WeightRole, std::int64_t layer)> name;
  /// Tensors that may be there and are no weight.
  std::function<bool(const StoredTensor&)> ignored;
  /// (rows, cols) of the tensor that holds a weight, alone or with others of the same name.
  std::function<std::pair<std::int64_t, std::int64_t>(WeightRole, const ModelShape&)> shape =
      weight_shape;
};

/// The weights of a model, found among the tensors of its files. Once made, every weight that the
/// spec calls for is there, with its shape and a type that can be decoded, and nothing else is.
class WeightTable {
 public:
  WeightTable() = default;
  /// `file` is the model's name for messages about what is missing. Throws Error{input} naming the
  /// tensor.
  WeightTable(std::vector<StoredTensor> tensors, const ModelSpec& spec, const TensorNaming& naming,
              const std::string& file);

  /// The tensor that holds the weight, as stored. `layer` is ignored for the roles that a model has
  /// once.
  WeightView view(WeightRole role, std::int64_t layer) const;

 private:
  std::size_t slot(WeightRole role, std::int64_t layer) const;

  std::vector<StoredTensor> tensors_;
  std::vector<std::size_t> index_;  ///< by slot, into tensors_
  std::int64_t n_layers_ = 0;
  ModelShape shape_;
  TensorNaming naming_;
  bool tied_ = false;
};

}  // namespace qaq
