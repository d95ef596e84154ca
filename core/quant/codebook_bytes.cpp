#include <algorithm>

#include "core/quant/codebook_codec.h"

namespace qaq {

PackedBytes codebook_bytes(const CodebookSpec& spec, const CacheShape& shape,
                           std::int64_t n_outliers, DType exact) {
  const std::int64_t row = shape.n_kv_heads * shape.head_dim;
  const std::int64_t n_exact = std::min(spec.first_few_fp16, shape.n_tokens);
  const std::int64_t n_rows = shape.n_layers * (shape.n_tokens - n_exact);
  return {.payload = n_rows * ((row * spec.n_bits + 7) / 8) +
                     shape.n_layers * n_exact * row * bytes_of(exact),
          .scales = spec.axis == GroupAxis::token ? n_rows * 4 : 0,
          .outlier_values = n_outliers * bytes_of(exact),
          .outlier_indices = n_outliers * index_bytes(row),
          .outlier_counts = spec.sparsity_threshold < 1 ? 2 * n_rows : 0};
}

std::int64_t codebook_table_bytes(const CodebookSpec& spec, const Codebook& book) {
  const std::size_t n = book.lower.size() + book.upper.size() + book.centroids.size();
  return bytes_of(DType::f32) * (static_cast<std::int64_t>(n) + (spec.norm ? 2 : 0));
}

}  // namespace qaq
