#include "core/replay/pack_cache.h"

#include "core/base/error.h"
#include "core/quant/packer.h"

namespace qaq {

PackedCache pack_cache(const CaptureView& capture, const PlannedCache& cache, const Work& work) {
  if (cache.plan.codec || cache.plan.kept) {
    refuse_usage({.place = "packed bytes",
                  .what = "hold units alone, and the setting evicts tokens or leaves some exact",
                  .cure = "set evict_factor=0 and plan_stride=1"});
  }
  const std::int64_t n_layers = capture.info().n_captured_layers();
  Packer packer(cache.plan, cache.stats, packed_format(cache.plan.quantizer, capture.info().dtype));
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({cache.side == CacheSide::key ? "packing keys" : "packing values", layer, n_layers,
                 "layers"});
    work.throw_if_stopped();
    packer.add_layer(layer, exact_layer(capture, cache.side, layer)->view());
  }
  return packer.finish();
}

}  // namespace qaq
