#include "core/analysis/paired_errors.h"

#include <cmath>

namespace qaq {

PairedErrors errors_by_step(const NdArray<float, 3>& a, const NdArray<float, 3>& b,
                            std::span<const LayerPair> layers, std::span<const RowPair> rows) {
  PairedErrors out;
  if (a.size() == 0 || b.size() == 0) return out;
  const std::int64_t n_heads = a.shape()[1];
  for (const RowPair& row : rows) {
    double sum_a = 0, sum_b = 0;
    for (const LayerPair& layer : layers) {
      for (std::int64_t head = 0; head < n_heads; ++head) {
        sum_a += a(layer.in_a, head, row.in_a);
        sum_b += b(layer.in_b, head, row.in_b);
      }
    }
    if (std::isnan(sum_a) || std::isnan(sum_b)) continue;  // one did not replay it
    const auto n = static_cast<double>(std::ssize(layers) * n_heads);
    out.at.push_back(row.position);
    out.a.push_back(sum_a / n);
    out.b.push_back(sum_b / n);
  }
  return out;
}

PairedErrors errors_by_layer(const NdArray<float, 3>& a, const NdArray<float, 3>& b,
                             std::span<const LayerPair> layers, std::int64_t prefix) {
  PairedErrors out;
  if (prefix == 0) return out;
  const std::int64_t n_heads = a.shape()[1];
  const auto mean = [&](const NdArray<float, 3>& errors, std::int64_t layer) {
    double sum = 0;
    std::int64_t n = 0;
    for (std::int64_t head = 0; head < n_heads; ++head) {
      for (std::int64_t t = 0; t < prefix; ++t) {
        const float error = errors(layer, head, t);
        if (std::isnan(error)) continue;  // evicted
        sum += error;
        ++n;
      }
    }
    return sum / static_cast<double>(n);
  };
  for (const LayerPair& layer : layers) {
    out.at.push_back(layer.layer);
    out.a.push_back(mean(a, layer.in_a));
    out.b.push_back(mean(b, layer.in_b));
  }
  return out;
}

}  // namespace qaq
