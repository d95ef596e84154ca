#include "core/quant/nominal_size.h"

#include "core/quant/cache_codec.h"

namespace qaq {

NominalSize nominal_size(const Plan& plan, int dtype_bits) {
  const CacheShape& shape = plan.layout.shape();
  const auto n_tokens = static_cast<double>(shape.n_tokens);
  const auto n_rows = static_cast<double>(plan.n_rows());
  // Of those that are left.
  const double values_per_token = n_rows * static_cast<double>(shape.head_dim) / n_tokens;
  NominalSize size;
  if (plan.codec) {
    for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
      for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
        for (std::int64_t token = 0; token < shape.n_tokens; ++token) {
          if (!plan.is_kept(layer, head, token)) continue;
          size.mean_bits += plan.codec->n_bits(layer, head, token).value_or(dtype_bits);
        }
      }
    }
    size.mean_bits /= n_rows;
    size.average_n_bits = size.mean_bits;
    const PackedBytes bytes = plan.codec->bytes(dtype_bits == 32 ? DType::f32 : DType::f16);
    size.size_per_token_bits = 8 * static_cast<double>(bytes.total()) / n_tokens;
    return size;
  }
  if (plan.keeps_all()) {
    size.mean_bits = size.average_n_bits = dtype_bits;
    size.size_per_token_bits = dtype_bits * values_per_token;
    return size;
  }
  // The authors take this mean in the cache's type.
  size.mean_bits = static_cast<float>(plan.mean_bits());
  const double r = plan.outlier_share.value_or(plan.quantizer.outliers_ratio);
  size.average_n_bits = size.mean_bits * (1 - r) + dtype_bits * r;
  const auto units_per_token =
      plan.kept ? n_rows / n_tokens : static_cast<double>(plan.layout.units_per_token());
  size.size_per_token_bits = size.average_n_bits * values_per_token +
                             plan.quantizer.n_extra() * dtype_bits * units_per_token;
  return size;
}

}  // namespace qaq
