#include "core/replay/score_rows.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/tensor/matmul.h"

namespace qaq {
namespace {

// Scores of one row from its products with the keys that it sees.
void softmax(std::span<float> row, float scale) {
  float largest = row[0];
  for (const float x : row) largest = std::max(largest, x);
  double sum = 0;
  for (float& x : row) {
    x = std::exp((x - largest) * scale);
    sum += x;
  }
  const auto share = static_cast<float>(1 / sum);
  for (float& x : row) x *= share;
}

}  // namespace

void score_rows(const NdView<const float, 2>& query, const NdView<const float, 2>& key,
                std::span<const std::int32_t> positions, const NdView<float, 2>& out) {
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
    const auto row = out.sub(i).span();
    const auto n_visible = static_cast<std::size_t>(positions[static_cast<std::size_t>(i)] + 1);
    assert(n_visible <= row.size());
    softmax(row.first(n_visible), scale);
    std::fill(row.begin() + static_cast<std::ptrdiff_t>(n_visible), row.end(), 0.0f);
  }
}

}  // namespace qaq
