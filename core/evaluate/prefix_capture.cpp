#include "core/evaluate/prefix_capture.h"

#include <algorithm>

#include "core/model/plain_rope.h"

namespace qaq {

PrefixCapture::PrefixCapture(const ModelSpec& spec, std::int64_t n_tokens, DType dtype) {
  const ModelShape& s = spec.shape;
  info_.name = spec.name;
  info_.model_name = spec.name;
  info_.architecture = spec.architecture;
  info_.shape = s;
  info_.position_embedding = spec.positions;
  info_.alibi_slopes = spec.alibi_slopes;
  info_.n_tokens = info_.n_prompt = n_tokens;
  info_.profile = AttentionProfile::derive;
  info_.dtype = dtype;
  info_.rope_frequencies = plain_frequencies(spec.rope);
  for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
    info_.layers.push_back(static_cast<std::int32_t>(layer));
    info_.attention_windows.push_back(static_cast<std::int32_t>(spec.attention_window(layer)));
    arrays_.query.emplace_back(Shape<3>{s.n_heads, n_tokens, s.head_dim});
    arrays_.key.emplace_back(Shape<3>{s.n_kv_heads, n_tokens, s.head_dim});
    arrays_.value.emplace_back(Shape<3>{s.n_kv_heads, n_tokens, s.head_dim});
  }
  for (std::int64_t token = 0; token < n_tokens; ++token) {
    info_.query_token.push_back(static_cast<std::int32_t>(token));
  }
}

bool PrefixCapture::wants(TapKind what, std::int64_t, std::int64_t, std::int64_t) const {
  return what == TapKind::query || what == TapKind::key || what == TapKind::value;
}

void PrefixCapture::put(const TapBlock& block) {
  auto& layers = block.what == TapKind::query ? arrays_.query
                 : block.what == TapKind::key ? arrays_.key
                                              : arrays_.value;
  NdArray<float, 3>& array = layers[static_cast<std::size_t>(block.layer)];
  const auto numbers = block.floats();
  for (std::int64_t head = 0; head < block.n_heads; ++head) {
    std::copy_n(numbers.data() + head * block.n_rows * block.n_cols, block.n_rows * block.n_cols,
                array.sub(block.first_head + head, block.first_row).data());
  }
}

MemoryCapture PrefixCapture::take() { return {std::move(info_), std::move(arrays_)}; }

}  // namespace qaq
