#include "core/quant/quantize.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "core/base/parallel.h"
#include "core/quant/arith.h"
#include "core/quant/cache_codec.h"
#include "core/quant/normal_codebook.h"
#include "core/quant/row_kernels.h"
#include "core/quant/unit_grid.h"

namespace qaq {
namespace {

// Outliers as they are, inliers as read_back(x); the sum of (x' - x)^2.
template <class ReadBack>
double quantize_each(const UnitStats& stats, std::span<const float> in, std::span<float> out,
                     const ReadBack& read_back) {
  double sum = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const float x = in[i];
    if (stats.is_outlier(x, static_cast<std::int64_t>(i))) {
      out[i] = x;
      continue;
    }
    out[i] = read_back(x);
    const auto error = static_cast<double>(out[i] - x);
    sum += error * error;
  }
  return sum;
}

double quantize_normal(const QuantizerSpec& spec, const UnitStats& stats, int n_bits,
                       std::span<const float> in, std::span<float> out) {
  const NormalCodebook& book = normal_codebook(n_bits);
  const float mean = spec.symmetric ? 0.0f : stored_scale(spec.store_scale, stats.mean);
  const float deviation = stored_scale(spec.store_scale, stats.deviation);
  return quantize_each(stats, in, out, [&](float x) {
    return deviation > 0 ? book.nearest((x - mean) / deviation) * deviation + mean : mean;
  });
}

void pack_outliers(const UnitStats& stats, std::span<const float> in, std::span<std::uint8_t> out) {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (stats.is_outlier(in[i], static_cast<std::int64_t>(i))) {
      out[i / 8] = static_cast<std::uint8_t>(out[i / 8] | (0x80u >> (i % 8)));
    }
  }
}

RowQuantizer row_quantizer(const QuantizerSpec& spec, const UnitStats& stats, int n_bits) {
  return {unit_grid(spec, stats, n_bits), stats.low, stats.high};
}

// Values of one unit, its statistics as seen from the first of them.
double quantize_row(const QuantizerSpec& spec, const UnitStats& stats, int n_bits,
                    std::span<const float> in, std::span<float> out) {
  if (spec.method == Method::normal) return quantize_normal(spec, stats, n_bits, in, out);
  const RowQuantizer row = row_quantizer(spec, stats, n_bits);
  if (stats.has_ties()) {
    return quantize_each(stats, in, out,
                         [&](float x) { return decode(row.grid, encode(row.grid, x)); });
  }
  double error = 0;
  quantize_rows({&row, 1}, in.size(), in.data(), out.data(), &error);
  return error;
}

void quantize_by_codec(const CacheCodec& codec, std::int64_t n_tokens, std::int64_t layer,
                       const CacheLayer& input, const QuantizedLayer& out) {
  if (!out.outliers.empty()) std::ranges::fill(out.outliers.span(), std::uint8_t{0});
  codec.quantize(layer, input, out.values, out.outliers);
  if (out.errors.empty()) return;
  parallel_for(n_tokens, [&](std::int64_t token) {
    for (std::int64_t head = 0; head < input.shape(0); ++head) {
      const std::span<const float> exact = input.sub(head, token).span(),
                                   read = out.values.sub(head, token).span();
      double sum = 0;
      for (std::size_t i = 0; i < exact.size(); ++i) {
        const float error = read[i] - exact[i];
        sum += error * error;
      }
      out.errors(head, token) = sum;
    }
  });
}

}  // namespace

void quantize_values(const QuantizerSpec& spec, const UnitStats& stats, int n_bits,
                     std::span<const float> in, std::span<float> out) {
  quantize_row(spec, stats, n_bits, in, out);
}

void quantize_layer(const Plan& plan, std::span<const UnitStats> stats, std::int64_t layer,
                    const CacheLayer& input, const QuantizedLayer& out) {
  const CacheShape& shape = plan.layout.shape();
  if (plan.codec) return quantize_by_codec(*plan.codec, shape.n_tokens, layer, input, out);
  assert(!plan.keeps_all() && stats.size() == plan.n_bits.size());
  const auto unit_of = [&](std::int64_t head, std::int64_t token) {
    return static_cast<std::size_t>(plan.layout.unit(layer, head, token));
  };
  // The unit of a row as seen from its first value.
  const auto stats_of_row = [&](std::int64_t head, std::int64_t token) {
    return stats[unit_of(head, token)].behind(plan.layout.first_in_unit(layer, head));
  };
  const auto quantize_row_by_row = [&](std::int64_t head, std::int64_t first, std::int64_t end) {
    for (std::int64_t token = first; token < end; ++token) {
      const double error =
          quantize_row(plan.quantizer, stats_of_row(head, token), plan.n_bits[unit_of(head, token)],
                       input.sub(head, token).span(), out.values.sub(head, token).span());
      if (!out.errors.empty()) out.errors(head, token) = error;
    }
  };
  const auto has_ties = [&](std::int64_t head, std::int64_t first, std::int64_t end) {
    if (plan.quantizer.outlier_rule == OutlierRule::quantile) return false;
    for (std::int64_t token = first; token < end; ++token) {
      if (stats[unit_of(head, token)].has_ties()) return true;
    }
    return false;
  };
  // Rows of one head follow each other in memory; heads of one unit share its steps.
  parallel_for((shape.n_tokens + kTileTokens - 1) / kTileTokens, [&](std::int64_t i) {
    const std::int64_t first = i * kTileTokens;
    const std::int64_t end = std::min(shape.n_tokens, first + kTileTokens);
    std::array<RowQuantizer, kTileTokens> rows;
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      if (plan.quantizer.method == Method::normal || has_ties(head, first, end)) {
        quantize_row_by_row(head, first, end);
      } else {
        if (head == 0 || plan.quantizer.level == Level::head) {
          for (std::int64_t token = first; token < end; ++token) {
            const std::size_t unit = unit_of(head, token);
            rows[static_cast<std::size_t>(token - first)] =
                row_quantizer(plan.quantizer, stats[unit], plan.n_bits[unit]);
          }
        }
        quantize_rows(std::span(rows).first(static_cast<std::size_t>(end - first)),
                      static_cast<std::size_t>(shape.head_dim), input.sub(head, first).data(),
                      out.values.sub(head, first).data(),
                      out.errors.empty() ? nullptr : &out.errors(head, first));
      }
      for (std::int64_t token = first; token < end && !out.outliers.empty(); ++token) {
        pack_outliers(stats_of_row(head, token), input.sub(head, token).span(),
                      out.outliers.sub(head, token).span());
      }
    }
  });
}

}  // namespace qaq
