#include "core/replay/memory_capture.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/derive_attention.h"
#include "core/replay/finite.h"

namespace qaq {
namespace {

using Shared = std::vector<SharedArray<float, 3>>;

// Checks one kind of array, rounds and shares it; there are none where `shape` is nothing.
Shared take(const CaptureInfo& info, const AxisWords& words, std::vector<NdArray<float, 3>> arrays,
            const std::optional<Shape<3>>& shape, DType dtype) {
  const std::size_t n_layers = shape ? info.layers.size() : 0;
  if (arrays.size() != n_layers) {
    refuse_input({.file = info.name,
                  .place = words.what,
                  .what = cat("has ", arrays.size(), " layers instead of ", n_layers),
                  .cure = "give one array a captured layer"});
  }
  Shared shared;
  for (NdArray<float, 3>& array : arrays) {
    const std::int32_t layer = info.layers[shared.size()];
    if (array.shape() != *shape) {
      const auto [heads, rows, columns] = *shape;
      refuse_input({.file = info.name,
                    .place = cat(words.what, ", layer ", layer),
                    .what = "has another shape than the capture says",
                    .cure = cat("give ", heads, " x ", rows, " x ", columns, " numbers")});
    }
    refuse_nonfinite(array.view(), info.name, layer, words, dtype);
    if (dtype != DType::f32) {
      for (float& x : array.span()) x = rounded(x, dtype);
    }
    shared.push_back(std::make_shared<const NdArray<float, 3>>(std::move(array)));
  }
  return shared;
}

}  // namespace

MemoryCapture::MemoryCapture(CaptureInfo info, Arrays arrays) : info_(std::move(info)) {
  const ModelShape& model = info_.shape;
  const Shape<3> cache{model.n_kv_heads, info_.n_tokens, model.head_dim};
  std::optional<Shape<3>> query, attention;
  if (info_.has_queries) query = {model.n_heads, info_.n_tokens, model.head_dim};
  if (info_.profile == AttentionProfile::full || info_.profile == AttentionProfile::window) {
    attention = {model.n_heads, info_.n_query_rows(), info_.n_tokens};
  }
  const DType dtype = info_.dtype;
  key_ = take(info_, {"key", "KV head", "token", "channel"}, std::move(arrays.key), cache, dtype);
  value_ =
      take(info_, {"value", "KV head", "token", "channel"}, std::move(arrays.value), cache, dtype);
  query_ =
      take(info_, {"query", "head", "token", "channel"}, std::move(arrays.query), query, dtype);
  attention_ = take(info_, {"attention", "head", "captured row", "token"},
                    std::move(arrays.attention), attention, DType::f32);
}

SharedArray<float, 3> MemoryCapture::key(std::int64_t layer_index) const {
  return key_.at(static_cast<std::size_t>(layer_index));
}

SharedArray<float, 3> MemoryCapture::value(std::int64_t layer_index) const {
  return value_.at(static_cast<std::size_t>(layer_index));
}

SharedArray<float, 3> MemoryCapture::query(std::int64_t layer_index) const {
  return query_.at(static_cast<std::size_t>(layer_index));
}

SharedArray<float, 3> MemoryCapture::attention(std::int64_t layer_index, std::int64_t first_row,
                                               std::int64_t n_rows) const {
  if (info_.profile == AttentionProfile::none) {
    refuse_input({.file = info_.name,
                  .place = "attention",
                  .what = "no scores were captured",
                  .cure = "capture again with --attention derive"});
  }
  if (info_.profile == AttentionProfile::derive) {
    const std::span<const std::int32_t> all = info_.query_token;
    return std::make_shared<const NdArray<float, 3>>(derive_attention(
        query(layer_index)->view(), key(layer_index)->view(),
        all.subspan(static_cast<std::size_t>(first_row), static_cast<std::size_t>(n_rows)),
        info_.score_rule(layer_index)));
  }
  const SharedArray<float, 3>& whole = attention_.at(static_cast<std::size_t>(layer_index));
  if (first_row == 0 && n_rows == whole->shape(1)) return whole;
  NdArray<float, 3> part({whole->shape(0), n_rows, whole->shape(2)});
  for (std::int64_t head = 0; head < whole->shape(0); ++head) {
    const float* rows = whole->sub(head, first_row).data();
    std::copy(rows, rows + n_rows * whole->shape(2), part.sub(head).data());
  }
  return std::make_shared<const NdArray<float, 3>>(std::move(part));
}

}  // namespace qaq
