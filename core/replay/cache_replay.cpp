#include "core/replay/cache_replay.h"

#include <algorithm>
#include <utility>

#include "core/quant/cache_codec.h"
#include "core/quant/quantize.h"
#include "core/replay/replay_sizes.h"

namespace qaq {
namespace {

void fill_bits(const Plan& plan, int dtype_bits, NdArray<std::uint8_t, 3>& bits) {
  std::fill(bits.span().begin(), bits.span().end(), static_cast<std::uint8_t>(dtype_bits));
  if (plan.keeps_all() && !plan.kept) return;
  plan.layout.for_each_row([&](std::int64_t unit, std::int64_t layer, std::int64_t head,
                               std::int64_t token) {
    std::uint8_t& own = bits(layer, head, token);
    if (!plan.is_kept(layer, head, token)) {
      own = CacheReplay::kEvicted;
    } else if (plan.codec) {
      own = static_cast<std::uint8_t>(plan.codec->n_bits(layer, head, token).value_or(dtype_bits));
    } else if (!plan.keeps_all()) {
      own = plan.n_bits[static_cast<std::size_t>(unit)];
    }
  });
}

}  // namespace

const char* name_of(CacheSide side) { return side == CacheSide::key ? "key" : "value"; }

SharedArray<float, 3> exact_layer(const CaptureView& capture, CacheSide side,
                                  std::int64_t layer_index) {
  return side == CacheSide::key ? capture.key(layer_index) : capture.value(layer_index);
}

SharedArray<float, 3> quantized_layer(const CaptureView& capture, const PlannedCache& cache,
                                      std::int64_t layer_index) {
  const SharedArray<float, 3> exact = exact_layer(capture, cache.side, layer_index);
  if (cache.plan.keeps_all()) return exact;
  NdArray<float, 3> values = exact->copy();
  quantize_layer(cache.plan, cache.stats, layer_index, exact->view(), {values.view()});
  return std::make_shared<const NdArray<float, 3>>(std::move(values));
}

CacheReplay planned_replay(const CaptureInfo& info, const PlannedCache& cache, int dtype_bits) {
  const CacheShape& shape = cache.plan.layout.shape();
  CacheReplay out;
  out.bits = NdArray<std::uint8_t, 3>({shape.n_layers, shape.n_kv_heads, info.n_tokens});
  fill_bits(cache.plan, dtype_bits, out.bits);
  fill_sizes(cache, info.dtype, dtype_bits, out);
  return out;
}

}  // namespace qaq
