#include "core/quant/quantize.h"

#include <algorithm>
#include <cassert>

#include "core/base/parallel.h"
#include "core/quant/arith.h"
#include "core/quant/normal_codebook.h"
#include "core/quant/row_kernels.h"
#include "core/quant/unit_grid.h"

namespace qaq {
namespace {

double quantize_normal(const QuantizerSpec& spec, const UnitStats& stats, int n_bits,
                       std::span<const float> in, std::span<float> out) {
  const NormalCodebook& book = normal_codebook(n_bits);
  const float mean = spec.symmetric ? 0.0f : stored_scale(spec.store_scale, stats.mean);
  const float deviation = stored_scale(spec.store_scale, stats.deviation);
  double sum = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const float x = in[i];
    if (stats.is_outlier(x)) {
      out[i] = x;
      continue;
    }
    if (deviation > 0) {
      out[i] = book.nearest((x - mean) / deviation) * deviation + mean;
    } else {
      out[i] = mean;
    }
    const auto error = static_cast<double>(out[i] - x);
    sum += error * error;
  }
  return sum;
}

void pack_outliers(const UnitStats& stats, std::span<const float> in, std::span<std::uint8_t> out) {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (stats.is_outlier(in[i])) {
      out[i / 8] = static_cast<std::uint8_t>(out[i / 8] | (0x80u >> (i % 8)));
    }
  }
}

}  // namespace

double quantize_values(const QuantizerSpec& spec, const UnitStats& stats, int n_bits,
                       std::span<const float> in, std::span<float> out) {
  if (spec.method == Method::normal) return quantize_normal(spec, stats, n_bits, in, out);
  return quantize_row(unit_grid(spec, stats, n_bits), stats.low, stats.high, in, out.data());
}

void quantize_layer(const Plan& plan, std::span<const UnitStats> stats, std::int64_t layer,
                    const CacheLayer& input, const QuantizedLayer& out) {
  const CacheShape& shape = plan.layout.shape();
  assert(!plan.keeps_all() && stats.size() == plan.n_bits.size());
  const auto quantize_token = [&](std::int64_t token) {
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      const auto unit = static_cast<std::size_t>(plan.layout.unit(layer, head, token));
      const UnitStats& s = stats[unit];
      const int n_bits = plan.n_bits[unit];
      const auto in = input.sub(head, token).span();
      const auto values = out.values.sub(head, token).span();
      const double error = quantize_values(plan.quantizer, s, n_bits, in, values);
      if (!out.errors.empty()) out.errors(head, token) = error;
      if (!out.outliers.empty()) pack_outliers(s, in, out.outliers.sub(head, token).span());
    }
  };
  constexpr std::int64_t kBlock = 64;
  parallel_for((shape.n_tokens + kBlock - 1) / kBlock, [&](std::int64_t i) {
    const std::int64_t end = std::min(shape.n_tokens, (i + 1) * kBlock);
    for (std::int64_t token = i * kBlock; token < end; ++token) quantize_token(token);
  });
}

}  // namespace qaq
