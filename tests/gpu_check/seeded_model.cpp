#include "tests/gpu_check/seeded_model.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/tensor/dtype.h"
#include "tests/gpu/cases/check.h"
#include "tests/support/known_shapes.h"

namespace qaq::gpu_check {
namespace {

constexpr std::int64_t kPattern = 1048573;  // numbers; a prime, so that no two rows are the same
constexpr std::int64_t kPlaces = 65536;     // where matrices begin

// Norms of activations stay near 1.
double deviation(const ModelShape& s) { return 1 / std::sqrt(static_cast<double>(s.hidden_size)); }

std::int64_t largest_matrix(const ModelShape& s) {
  std::int64_t largest = 0;
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto [rows, cols] = weight_shape(static_cast<WeightRole>(i), s);
    largest = std::max(largest, rows * cols);
  }
  return largest;
}

}  // namespace

SeededModel::SeededModel(const std::string& name, const ModelShape& shape) {
  spec_.name = name;
  spec_.architecture = "llama";
  spec_.shape = shape;
  spec_.rope.n_rotary_dim = shape.head_dim;
  spec_.weights_dtype = "f16";
  cases::Numbers numbers(17);
  const auto n = static_cast<std::size_t>(largest_matrix(shape) + kPlaces);
  matrices_.reserve(n);
  while (matrices_.size() < std::min(n, static_cast<std::size_t>(kPattern))) {
    const float x = numbers.bell(deviation(shape));
    matrices_.push_back(half_from_float(std::abs(x) < 1e-6f ? 1e-3f : x));
  }
  for (std::size_t i = 0; matrices_.size() < n; ++i) matrices_.push_back(matrices_[i]);
  for (std::int64_t i = 0; i < shape.hidden_size; ++i) {
    vectors_.push_back(1 + 0.1f * numbers.bell());
  }
}

WeightView SeededModel::weight(WeightRole role, std::int64_t layer) const {
  const auto [rows, cols] = weight_shape(role, spec_.shape);
  const auto n = static_cast<std::size_t>(rows * cols);
  const std::int64_t nth = layer * kWeightRoles + static_cast<std::int64_t>(role);
  WeightView view{.name = "weight " + std::to_string(nth), .rows = rows, .cols = cols, .bytes = {}};
  if (rows == 1) {
    view.bytes = std::as_bytes(std::span(vectors_).first(n));
    return view;
  }
  view.type = WeightType::f16;
  view.bytes = std::as_bytes(
      std::span(matrices_).subspan(static_cast<std::size_t>(nth * 7919 % kPlaces), n));
  return view;
}

std::int64_t SeededModel::n_multiplied() const {
  std::int64_t n = 0;
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    const auto [rows, cols] = weight_shape(role, spec_.shape);
    if (!has_weight(spec_, role) || rows == 1 || role == WeightRole::embedding) continue;
    n += (is_layer_role(role) ? spec_.shape.n_layers : 1) * rows * cols;
  }
  return n;
}

ModelShape llama_7b_shape() { return test::llama2_7b().shape; }

ModelShape llama_13b_shape() { return test::llama2_13b().shape; }

ModelShape shim_shape() {
  return {.n_layers = 2,
          .n_heads = 4,
          .n_kv_heads = 2,
          .head_dim = 16,
          .hidden_size = 48,
          .intermediate_size = 64,
          .vocab_size = 50,
          .context_length = 64};
}

}  // namespace qaq::gpu_check
