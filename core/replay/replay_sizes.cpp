#include "core/replay/replay_sizes.h"

#include "core/quant/cache_codec.h"
#include "core/quant/nominal_size.h"
#include "core/quant/packed_bytes.h"

namespace qaq {
namespace {

constexpr int kPaperBits = 16;  // what the paper's ratios are measured against

}  // namespace

void fill_sizes(const PlannedCache& cache, DType dtype, int dtype_bits, CacheReplay& out) {
  for (std::size_t unit = 0; unit < cache.stats.size(); ++unit) {
    if (!cache.plan.keeps_unit(unit)) continue;
    out.n_outliers += cache.plan.layout.unit_size() - cache.stats[unit].n_inliers;
  }
  if (cache.plan.codec) out.n_outliers = cache.plan.codec->n_outliers();
  out.n_values = cache.plan.layout.shape().n_values();
  out.n_kept = cache.plan.n_rows() * cache.plan.layout.shape().head_dim;
  const NominalSize size = nominal_size(cache.plan, dtype_bits);
  out.average_n_bits = size.average_n_bits;
  out.size_per_token_bits = size.size_per_token_bits;
  out.mean_bits = size.mean_bits;
  out.packed = packed_bytes(cache.plan, cache.stats, packed_format(cache.plan.quantizer, dtype));
  if (cache.plan.kept && cache.side == CacheSide::key) {
    out.packed.positions = kPositionBytes * cache.plan.n_rows();
  }
  out.n_bound_unmet = cache.plan.n_bound_unmet;
}

void set_ratios(const PlannedCache& key, const PlannedCache& value, ReplayResult& result) {
  const CacheShape& shape = key.plan.layout.shape();
  const NominalSize k = nominal_size(key.plan, kPaperBits),
                    v = nominal_size(value.plan, kPaperBits);
  const auto values_per_token =
      static_cast<double>(shape.n_layers * shape.n_kv_heads * shape.head_dim);
  const double kept =
      static_cast<double>(result.key.n_kept) / static_cast<double>(result.key.n_values);
  result.ratio_paper = 2 * kPaperBits / (k.average_n_bits + v.average_n_bits) / kept;
  result.ratio_nominal =
      2 * kPaperBits * values_per_token / (k.size_per_token_bits + v.size_per_token_bits);
  const std::int64_t n_values = result.key.n_values + result.value.n_values;
  const std::int64_t n_bytes = result.key.packed.total() + result.value.packed.total();
  result.ratio_packed = 2 * static_cast<double>(n_values) / static_cast<double>(n_bytes);
}

}  // namespace qaq
