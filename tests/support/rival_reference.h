#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/tensor/nd_array.h"
#include "tests/support/reference_file.h"
#include "tests/support/test_data.h"

namespace qaq::test {

/// A dataset of rank 3 of a reference file.
inline NdArray<float, 3> layer_of(const ReferenceFile& file, const std::string& name) {
  const std::vector<std::int64_t> shape = file.shape(name);
  NdArray<float, 3> out({shape.at(0), shape.at(1), shape.at(2)});
  const std::vector<float> values = file.floats(name);
  std::copy(values.begin(), values.end(), out.data());
  return out;
}

/// What the rivals' own code makes of `rival_input()`, where it quantizes and where it evicts:
/// tests/data/rivals.
inline const ReferenceFile& rival_codecs() {
  static const ReferenceFile file(test_data_path("rivals/codecs.h5"));
  return file;
}
inline const ReferenceFile& rival_retention() {
  static const ReferenceFile file(test_data_path("rivals/retention.h5"));
  return file;
}

/// "key" or "value" (n_kv_heads 3, T 95, D 64), "query" (n_heads 9, T, D) or "attention" (n_heads,
/// T, T) of layer "01" or "14".
inline NdArray<float, 3> rival_input(const std::string& side, const std::string& layer = "14") {
  static const ReferenceFile file(test_data_path("oracle/smollm2_forward_narrative.h5"));
  return layer_of(file, "layers/" + layer + "/" + side);
}

inline float largest_magnitude(std::span<const float> values) {
  float most = 0;
  for (const float x : values) most = std::max(most, std::abs(x));
  return most;
}

/// Normal numbers (n_kv_heads, T, D).
inline NdArray<float, 3> random_layer(const Shape<3>& shape, unsigned seed) {
  std::mt19937 bits(seed);
  std::normal_distribution<float> normal(0.25f, 2);
  NdArray<float, 3> out(shape);
  for (float& x : out.span()) x = normal(bits);
  return out;
}

}  // namespace qaq::test
