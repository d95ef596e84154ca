#include "core/replay/score_rows.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "core/model/attention_window.h"
#include "core/tensor/matmul.h"
#include "core/tensor/vector_math.h"

namespace qaq {

void score_rows(const NdView<const float, 2>& query, const NdView<const float, 2>& key,
                std::span<const std::int32_t> positions, std::int64_t window,
                const NdView<float, 2>& out) {
  const std::int64_t n_rows = out.shape(0), n_keys = out.shape(1), head_dim = query.shape(1);
  assert(static_cast<std::int64_t>(positions.size()) == n_rows && key.shape(0) >= n_keys);
  NdArray<float, 2> rows({n_rows, head_dim});
  for (std::int64_t i = 0; i < n_rows; ++i) {
    const auto row = query.sub(positions[static_cast<std::size_t>(i)]).span();
    std::copy(row.begin(), row.end(), rows.sub(i).data());
  }
  matmul_nt(rows.view(), {key.data(), {n_keys, head_dim}}, out);
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head_dim)));
  for (std::int64_t i = 0; i < n_rows; ++i) {
    const std::int64_t n_visible = positions[static_cast<std::size_t>(i)] + 1;
    assert(n_visible <= n_keys);
    const auto first = static_cast<std::size_t>(first_key_seen(n_visible, window));
    const auto row = out.sub(i).span();
    std::fill_n(row.begin(), first, 0.0f);
    softmax_row(row.subspan(first), static_cast<std::size_t>(n_visible) - first, scale);
  }
}

}  // namespace qaq
