#include "core/replay/derive_attention.h"

#include <algorithm>
#include <cassert>

#include "core/base/parallel.h"
#include "core/replay/score_rows.h"

namespace qaq {

NdArray<float, 3> derive_attention(const NdView<const float, 3>& query,
                                   const NdView<const float, 3>& key,
                                   std::span<const std::int32_t> positions, std::int64_t window) {
  const std::int64_t n_heads = query.shape(0), n_tokens = query.shape(1);
  assert(n_heads % key.shape(0) == 0 && key.shape(1) == n_tokens);
  const std::int64_t group = n_heads / key.shape(0);
  const auto n_rows = static_cast<std::int64_t>(positions.size());
  NdArray<float, 3> scores({n_heads, n_rows, n_tokens});
  const std::vector<ScoreKeys> keys = score_keys(key, n_rows);
  constexpr std::int64_t kBlock = 64;
  const std::int64_t n_blocks = (n_rows + kBlock - 1) / kBlock;
  parallel_for(n_heads * n_blocks, [&](std::int64_t i) {
    const std::int64_t head = i / n_blocks, first = i % n_blocks * kBlock;
    const std::int64_t count = std::min(kBlock, n_rows - first);
    score_rows(query.sub(head), keys[static_cast<std::size_t>(head / group)],
               positions.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
               {.window = window}, {scores.sub(head, first).data(), {count, n_tokens}});
  });
  return scores;
}

}  // namespace qaq
