#include "core/replay/rounding_noise.h"

#include <algorithm>
#include <random>

namespace qaq {

void add_rounding_noise(const PlannedCache& cache, std::span<const float> steps,
                        const NoiseDraw& draw, const NdView<const float, 2>& exact,
                        const NdView<float, 2>& out) {
  const UnitLayout& layout = cache.plan.layout;
  std::seed_seq seeds{
      static_cast<std::uint32_t>(draw.seed),    static_cast<std::uint32_t>(draw.seed >> 32),
      static_cast<std::uint32_t>(draw.draw),    static_cast<std::uint32_t>(draw.layer),
      static_cast<std::uint32_t>(draw.kv_head), static_cast<std::uint32_t>(cache.side)};
  std::mt19937 engine(seeds);
  std::copy(exact.span().begin(), exact.span().end(), out.span().begin());
  const std::int64_t n_tokens = std::min(layout.shape().n_tokens, exact.shape(0));
  for (std::int64_t token = 0; token < n_tokens; ++token) {
    const auto unit = static_cast<std::size_t>(layout.unit(draw.layer, draw.kv_head, token));
    const UnitStats stats =
        cache.stats[unit].behind(layout.first_in_unit(draw.layer, draw.kv_head));
    std::int64_t place = 0;
    for (float& x : out.sub(token).span()) {
      // 24 bits of the engine's own integers, the middles of 2^24 equal parts: the standard
      // distributions differ between libraries.
      const float share = (static_cast<float>(engine() >> 8) + 0.5f) * 0x1p-24f - 0.5f;
      if (!stats.is_outlier(x, place++)) x += share * steps[unit];
    }
  }
}

}  // namespace qaq
