#include "core/tensor/activations.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qaq {

void relu(std::span<float> row) {
  for (float& x : row) x = std::max(x, 0.0f);
}

void gelu(std::span<float> row) {
  constexpr float kRoot = 1 / std::numbers::sqrt2_v<float>;
  for (float& x : row) x = 0.5f * x * (1.0f + std::erf(x * kRoot));
}

void gelu_tanh(std::span<float> row) {
  constexpr float kRoot = std::numbers::sqrt2_v<float> * std::numbers::inv_sqrtpi_v<float>;
  for (float& x : row) {
    x = 0.5f * x * (1.0f + std::tanh(kRoot * (x + 0.044715f * x * x * x)));
  }
}

}  // namespace qaq
