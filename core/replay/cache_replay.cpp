#include "core/replay/cache_replay.h"

#include <algorithm>

#include "core/quant/quantize.h"
#include "core/replay/replay_sizes.h"

namespace qaq {
namespace {

void fill_bits(const Plan& plan, int dtype_bits, NdArray<std::uint8_t, 3>& bits) {
  std::fill(bits.span().begin(), bits.span().end(), static_cast<std::uint8_t>(dtype_bits));
  if (plan.keeps_all()) return;
  plan.layout.for_each_row(
      [&](std::int64_t unit, std::int64_t layer, std::int64_t head, std::int64_t token) {
        bits(layer, head, token) = plan.n_bits[static_cast<std::size_t>(unit)];
      });
}

// The exact layer, of which quantize_layer() replaces the prefix.
NdArray<float, 3> quantize(const NdArray<float, 3>& exact, const PlannedCache& cache,
                           std::int64_t layer, const NdView<std::uint8_t, 3>& outliers,
                           const NdView<double, 2>& errors) {
  NdArray<float, 3> values = exact.copy();
  quantize_layer(cache.plan, cache.stats, layer, exact.view(), {values.view(), outliers, errors});
  return values;
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
  return std::make_shared<const NdArray<float, 3>>(quantize(*exact, cache, layer_index, {}, {}));
}

CacheReplay planned_replay(const CaptureInfo& info, const PlannedCache& cache, int dtype_bits) {
  const CacheShape& shape = cache.plan.layout.shape();
  CacheReplay out;
  out.bits = NdArray<std::uint8_t, 3>({shape.n_layers, shape.n_kv_heads, info.n_tokens});
  fill_bits(cache.plan, dtype_bits, out.bits);
  fill_sizes(cache, info.dtype, dtype_bits, out);
  return out;
}

CacheReplay replay_cache(const CaptureView& capture, const PlannedCache& cache, int dtype_bits,
                         const Work& work) {
  const CacheShape& shape = cache.plan.layout.shape();
  const std::int64_t n_tokens = capture.info().n_tokens;
  CacheReplay out = planned_replay(capture.info(), cache, dtype_bits);
  out.outliers = NdArray<std::uint8_t, 4>(
      {shape.n_layers, shape.n_kv_heads, n_tokens, (shape.head_dim + 7) / 8});
  out.error = NdArray<float, 3>({shape.n_layers, shape.n_kv_heads, n_tokens});

  double total = 0;
  for (std::int64_t layer = 0; layer < shape.n_layers && !cache.plan.keeps_all(); ++layer) {
    work.throw_if_stopped();
    const SharedArray<float, 3> exact = exact_layer(capture, cache.side, layer);
    NdArray<double, 2> errors({shape.n_kv_heads, shape.n_tokens});
    quantize(*exact, cache, layer, out.outliers.sub(layer), errors.view());
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      for (std::int64_t token = 0; token < shape.n_tokens; ++token) {
        total += errors(head, token);
        out.error(layer, head, token) =
            static_cast<float>(errors(head, token) / static_cast<double>(shape.head_dim));
      }
    }
  }

  out.quantization_error = total / static_cast<double>(out.n_values);
  return out;
}

}  // namespace qaq
