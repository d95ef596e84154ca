#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/policy/cache_policy.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/quantize.h"
#include "core/quant/unit_stats.h"
#include "core/tensor/nd_array.h"

namespace qaq::test {

/// A configuration as the reference files write it, for one side; the other side keeps all.
struct ReferenceConfig {
  CacheSide side = CacheSide::key;
  QaqParams params;
  const QaqSideParams& own() const { return side == CacheSide::key ? params.key : params.value; }
};
ReferenceConfig reference_config(const nlohmann::json& params);
/// Both sides of a case of oracle/qaq_replay_narrative.json.
QaqParams reference_params(const nlohmann::json& reference);

/// A cache put through a policy with the parts of core/quant, nothing left out.
struct QuantizedCache {
  Plan plan;
  std::vector<UnitStats> stats;
  NdArray<float, 4> values;           ///< (n_layers, n_kv_heads, T, D)
  NdArray<std::uint8_t, 4> outliers;  ///< (n_layers, n_kv_heads, T, ceil(D/8))

  bool kept(std::int64_t layer, std::int64_t head, std::int64_t token, std::int64_t channel) const {
    return (outliers(layer, head, token, channel / 8) >> (7 - channel % 8) & 1) != 0;
  }
};

/// `cache` is (n_layers, n_kv_heads, T, D), `attention` the last rows (n_layers, n_kv_heads, rows,
/// T) that each KV head sees, as many as there are.
QuantizedCache quantize_cache(const ReferenceConfig& config, const NdView<const float, 4>& cache,
                              const NdView<const float, 4>& attention);

}  // namespace qaq::test
