// vector_math.h in plain loops, for builds without Highway.
#include <algorithm>
#include <cmath>

#include "core/tensor/vector_math.h"

namespace qaq {

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

double exp_row(std::span<float> row, float largest, float scale) {
  double sum = 0;
  for (float& x : row) {
    x = std::exp((x - largest) * scale);
    sum += static_cast<double>(x);
  }
  return sum;
}

void scale_row(std::span<float> row, float factor) {
  for (float& x : row) x *= factor;
}

void softmax_row(std::span<float> row, std::size_t n_visible, float scale) {
  const std::span<float> seen = row.first(n_visible);
  scale_row(seen, static_cast<float>(1.0 / exp_row(seen, largest_of(seen), scale)));
  std::ranges::fill(row.subspan(n_visible), 0.0f);
}

void rms_norm(std::span<const float> in, const float* weight, double epsilon, float* out) {
  double sum = 0;
  for (const float x : in) sum += static_cast<double>(x) * static_cast<double>(x);
  const auto factor =
      static_cast<float>(1.0 / std::sqrt(sum / static_cast<double>(in.size()) + epsilon));
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = in[i] * factor * weight[i];
}

void layer_norm(std::span<const float> in, const float* weight, const float* bias, double epsilon,
                float* out) {
  const auto n = static_cast<double>(in.size());
  double sum = 0, squares = 0;
  for (const float x : in) sum += static_cast<double>(x);
  const auto mean = static_cast<float>(sum / n);
  for (const float x : in) {
    squares += static_cast<double>(x - mean) * static_cast<double>(x - mean);
  }
  const auto factor = static_cast<float>(1.0 / std::sqrt(squares / n + epsilon));
  for (std::size_t i = 0; i < in.size(); ++i) {
    out[i] = (in[i] - mean) * factor * weight[i] + bias[i];
  }
}

void swiglu(std::span<float> gate, const float* up) {
  for (std::size_t i = 0; i < gate.size(); ++i) {
    gate[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
  }
}

void rotate_pairs(float* head, const float* cosine, const float* sine, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float a = head[i], b = head[n + i];
    head[i] = a * cosine[i] - b * sine[i];
    head[n + i] = b * cosine[i] + a * sine[i];
  }
}

double entropy(std::span<const float> row) {
  double sum = 0;
  for (const float p : row) {
    if (p > 0) sum -= static_cast<double>(p) * static_cast<double>(std::log(p));
  }
  return sum;
}

double log_sum_exp(std::span<const float> row, float largest) {
  double sum = 0;
  for (const float x : row) sum += static_cast<double>(std::exp(x - largest));
  return static_cast<double>(largest) + std::log(sum);
}

float largest_of(std::span<const float> row) { return *std::ranges::max_element(row); }

void add_to_sums(std::span<const float> row, double* sums) {
  for (std::size_t i = 0; i < row.size(); ++i) sums[i] += static_cast<double>(row[i]);
}

void raise_to_maxima(std::span<const float> row, float* maxima) {
  for (std::size_t i = 0; i < row.size(); ++i) maxima[i] = std::max(maxima[i], row[i]);
}

bool all_within(std::span<const float> row, float limit) {
  return std::ranges::all_of(row, [limit](float x) { return std::abs(x) <= limit; });
}

const char* simd_target_name() { return "none"; }

}  // namespace qaq
