#include "core/replay/score_rows.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "core/base/parallel.h"
#include "core/model/attention_window.h"
#include "core/tensor/matmul.h"
#include "core/tensor/panel.h"
#include "core/tensor/sparse_softmax.h"

namespace qaq {
namespace {

// Fewer rows cost less than making panels of the keys.
constexpr std::int64_t kRowsWorthPanels = 4;

NdArray<float, 2> rows_at(const NdView<const float, 2>& query,
                          std::span<const std::int32_t> positions) {
  NdArray<float, 2> rows({std::ssize(positions), query.shape(1)});
  for (std::int64_t i = 0; i < rows.shape(0); ++i) {
    const auto row = query.sub(positions[static_cast<std::size_t>(i)]).span();
    std::copy(row.begin(), row.end(), rows.sub(i).data());
  }
  return rows;
}

// Products q . k become scores.
void to_scores(std::span<const std::int32_t> positions, const SeenKeys& seen, std::int64_t head_dim,
               const NdView<float, 2>& out) {
  assert(std::ssize(positions) == out.shape(0));
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head_dim)));
  for (std::int64_t i = 0; i < out.shape(0); ++i) {
    const std::int64_t n_visible = positions[static_cast<std::size_t>(i)] + 1;
    assert(n_visible <= out.shape(1));
    const auto first = static_cast<std::size_t>(first_key_seen(n_visible, seen.window));
    const auto row = out.sub(i).span();
    std::fill_n(row.begin(), first, 0.0f);
    sparse_softmax_row(row.subspan(first), static_cast<std::size_t>(n_visible) - first, scale,
                       seen.top_k);
  }
}

}  // namespace

ScoreKeys::ScoreKeys(const NdView<const float, 2>& key, std::int64_t n_rows) : key_(key) {
  if (n_rows < kRowsWorthPanels) return;
  const std::int64_t n_keys = key.shape(0), dim = key.shape(1);
  panels_.resize(static_cast<std::size_t>(whole_panels(n_keys) * dim));
  for (std::int64_t first = 0; first < n_keys; first += kPanelColumns) {
    transpose_to_panel(key.sub(first).data(), dim, std::min(kPanelColumns, n_keys - first), dim,
                       panels_.data() + first * dim);
  }
}

const float* ScoreKeys::panel(std::int64_t i) const {
  return panels_.data() + i * kPanelColumns * key_.shape(1);
}

std::vector<ScoreKeys> score_keys(const NdView<const float, 3>& key, std::int64_t n_rows) {
  std::vector<ScoreKeys> out(static_cast<std::size_t>(key.shape(0)));
  parallel_for(key.shape(0), [&](std::int64_t head) {
    out[static_cast<std::size_t>(head)] = ScoreKeys(key.sub(head), n_rows);
  });
  return out;
}

void score_rows(const NdView<const float, 2>& query, const ScoreKeys& key,
                std::span<const std::int32_t> positions, const SeenKeys& seen,
                const NdView<float, 2>& out) {
  const std::int64_t n_keys = out.shape(1), head_dim = query.shape(1);
  assert(key.keys().shape(0) >= n_keys && key.keys().shape(1) == head_dim);
  const NdArray<float, 2> rows = rows_at(query, positions);
  if (!key.has_panels()) {
    matmul_nt(rows.view(), {key.keys().data(), {n_keys, head_dim}}, out);
    to_scores(positions, seen, head_dim, out);
    return;
  }
  for (std::int64_t first = 0; first < n_keys; first += kPanelColumns) {
    multiply_panel({.a = rows.data(),
                    .a_stride = head_dim,
                    .panel = key.panel(first / kPanelColumns),
                    .n_rows = rows.shape(0),
                    .depth = head_dim,
                    .c = out.data() + first,
                    .c_stride = n_keys,
                    .n_columns = std::min(kPanelColumns, n_keys - first)});
  }
  to_scores(positions, seen, head_dim, out);
}

}  // namespace qaq
