#pragma once

#include <span>

namespace qaq {

/// What feed-forward layers without a gate do to each number, in place, in float32.

/// max(x, 0).
void relu(std::span<float> row);
/// x P(Z <= x) of a standard normal Z: x / 2 (1 + erf(x / sqrt(2))). Source: arXiv 1606.08415.
void gelu(std::span<float> row);
/// Its approximation x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), which differs by up to
/// 5e-4.
void gelu_tanh(std::span<float> row);

}  // namespace qaq
