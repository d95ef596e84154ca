#include "core/replay/stream_retention.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace qaq {

void leave_out_evicted(const NdView<const std::uint8_t, 2>& kept, const NdView<float, 3>& row) {
  const std::int64_t group = row.shape(0) / kept.shape(0);
  for (std::int64_t head = 0; head < row.shape(0); ++head) {
    const auto is_kept = kept.sub(head / group).span();
    const auto scores = row.sub(head, 0).span();
    double gone = 0, left = 0;
    for (std::size_t t = 0; t < scores.size(); ++t) {
      (t < is_kept.size() && is_kept[t] == 0 ? gone : left) += double{scores[t]};
    }
    if (gone == 0) continue;
    const auto factor = static_cast<float>(1 / left);
    for (std::size_t t = 0; t < scores.size(); ++t) {
      scores[t] = t < is_kept.size() && is_kept[t] == 0 ? 0.0f : scores[t] * factor;
    }
  }
}

StreamRetention::StreamRetention(KeptPrompt prompt, std::int64_t max_tokens)
    : layers_(std::move(prompt.layers)),
      kept_({prompt.kept.shape(0), prompt.kept.shape(1), max_tokens}, std::uint8_t{1}) {
  for (std::int64_t layer = 0; layer < kept_.shape(0); ++layer) {
    for (std::int64_t head = 0; head < kept_.shape(1); ++head) {
      std::ranges::copy(prompt.kept.sub(layer, head).span(), kept_.sub(layer, head).data());
    }
  }
}

void StreamRetention::push(std::int64_t layer, std::int64_t position,
                           const NdView<const float, 3>& row) {
  assert(position < kept_.shape(2));
  const std::int64_t n_heads = row.shape(0), n_kv_heads = kept_.shape(1), n = position + 1;
  NdArray<float, 2> scores({n_heads, n});
  for (std::int64_t head = 0; head < n_heads; ++head) {
    std::copy_n(row.sub(head).data(), n, scores.sub(head).data());
  }
  NdArray<std::uint8_t, 2> kept({n_kv_heads, n});
  for (std::int64_t head = 0; head < n_kv_heads; ++head) {
    std::copy_n(kept_.sub(layer, head).data(), n, kept.sub(head).data());
  }
  layers_[static_cast<std::size_t>(layer)]->step({scores.view()}, kept.view());
  for (std::int64_t head = 0; head < n_kv_heads; ++head) {
    std::copy_n(kept.sub(head).data(), n, kept_.sub(layer, head).data());
  }
}

SharedArray<std::uint8_t, 3> StreamRetention::kept(std::int64_t n_tokens) const {
  NdArray<std::uint8_t, 3> out({kept_.shape(0), kept_.shape(1), n_tokens});
  for (std::int64_t layer = 0; layer < kept_.shape(0); ++layer) {
    for (std::int64_t head = 0; head < kept_.shape(1); ++head) {
      std::copy_n(kept_.sub(layer, head).data(), n_tokens, out.sub(layer, head).data());
    }
  }
  return std::make_shared<const NdArray<std::uint8_t, 3>>(std::move(out));
}

}  // namespace qaq
