#include "core/quant/nominal_size.h"

#include <numeric>

#include "core/quant/cache_codec.h"

namespace qaq {

NominalSize nominal_size(const Plan& plan, int dtype_bits) {
  const CacheShape& shape = plan.layout.shape();
  const auto values_per_token =
      static_cast<double>(shape.n_layers * shape.n_kv_heads * shape.head_dim);
  NominalSize size;
  if (plan.codec) {
    for (std::int64_t token = 0; token < shape.n_tokens; ++token) {
      size.mean_bits += plan.codec->n_bits(token).value_or(dtype_bits);
    }
    size.mean_bits /= static_cast<double>(shape.n_tokens);
    size.average_n_bits = size.mean_bits;
    const PackedBytes bytes = plan.codec->bytes(dtype_bits == 32 ? DType::f32 : DType::f16);
    size.size_per_token_bits =
        8 * static_cast<double>(bytes.total()) / static_cast<double>(shape.n_tokens);
    return size;
  }
  if (plan.keeps_all()) {
    size.mean_bits = size.average_n_bits = dtype_bits;
    size.size_per_token_bits = dtype_bits * values_per_token;
    return size;
  }
  const auto sum = std::accumulate(plan.n_bits.begin(), plan.n_bits.end(), std::int64_t{0});
  // The authors take this mean in the cache's type.
  size.mean_bits =
      static_cast<float>(static_cast<double>(sum) / static_cast<double>(plan.n_bits.size()));
  const double r = plan.outlier_share.value_or(plan.quantizer.outliers_ratio);
  size.average_n_bits = size.mean_bits * (1 - r) + dtype_bits * r;
  size.size_per_token_bits =
      size.average_n_bits * values_per_token +
      static_cast<double>(plan.quantizer.n_extra() * dtype_bits * plan.layout.units_per_token());
  return size;
}

}  // namespace qaq
