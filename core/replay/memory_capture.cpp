#include "core/replay/memory_capture.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/derive_attention.h"

namespace qaq {
namespace {

std::vector<SharedArray<float, 3>> take(std::vector<NdArray<float, 3>> arrays, const char* what,
                                        std::int64_t n_layers, const Shape<3>& shape) {
  if (static_cast<std::int64_t>(arrays.size()) != n_layers) {
    refuse_input({.place = what,
                  .what = cat("has ", arrays.size(), " layers instead of ", n_layers),
                  .cure = "give one array a captured layer"});
  }
  std::vector<SharedArray<float, 3>> shared;
  for (NdArray<float, 3>& array : arrays) {
    if (array.shape() != shape) {
      refuse_input({.place = cat(what, ", layer index ", shared.size()),
                    .what = "has another shape than the capture says",
                    .cure = cat("give ", shape[0], " x ", shape[1], " x ", shape[2], " numbers")});
    }
    shared.push_back(std::make_shared<const NdArray<float, 3>>(std::move(array)));
  }
  return shared;
}

}  // namespace

MemoryCapture::MemoryCapture(CaptureInfo info, Arrays arrays) : info_(std::move(info)) {
  const ModelShape& model = info_.shape;
  const std::int64_t n = info_.n_captured_layers(), t = info_.n_tokens;
  const bool stored =
      info_.profile == AttentionProfile::full || info_.profile == AttentionProfile::window;
  key_ = take(std::move(arrays.key), "key", n, {model.n_kv_heads, t, model.head_dim});
  value_ = take(std::move(arrays.value), "value", n, {model.n_kv_heads, t, model.head_dim});
  query_ = take(std::move(arrays.query), "query", info_.has_queries ? n : 0,
                {model.n_heads, t, model.head_dim});
  attention_ = take(std::move(arrays.attention), "attention", stored ? n : 0,
                    {model.n_heads, info_.n_query_rows(), t});
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
        all.subspan(static_cast<std::size_t>(first_row), static_cast<std::size_t>(n_rows))));
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
