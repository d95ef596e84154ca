#pragma once

#include "core/base/error.h"
#include "core/tensor/nd_array.h"
#include "data/models/model_file.h"

namespace qaq::test {

/// Decodes every weight, as running a model would; errors name the model's file.
inline void decode_all_weights(const ModelFile& model) {
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    if (!has_weight(model.spec(), role)) continue;
    for (std::int64_t layer = 0; layer < (is_layer_role(role) ? model.spec().shape.n_layers : 1);
         ++layer) {
      const WeightView weight = model.weight(role, layer);
      NdArray<float, 2> numbers({weight.rows, weight.cols});
      try {
        decode_matrix(weight, numbers.view());
      } catch (const Error& error) {
        throw error.with_file(model.file());
      }
    }
  }
}

}  // namespace qaq::test
