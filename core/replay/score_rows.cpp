#include "core/replay/score_rows.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "core/base/parallel.h"
#include "core/model/attention_window.h"
#include "core/tensor/matmul.h"
#include "core/tensor/panel.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

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
void to_scores(std::span<const std::int32_t> positions, std::int64_t window, std::int64_t head_dim,
               const NdView<float, 2>& out) {
  assert(std::ssize(positions) == out.shape(0));
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head_dim)));
  for (std::int64_t i = 0; i < out.shape(0); ++i) {
    const std::int64_t n_visible = positions[static_cast<std::size_t>(i)] + 1;
    assert(n_visible <= out.shape(1));
    const auto first = static_cast<std::size_t>(first_key_seen(n_visible, window));
    const auto row = out.sub(i).span();
    std::fill_n(row.begin(), first, 0.0f);
    softmax_row(row.subspan(first), static_cast<std::size_t>(n_visible) - first, scale);
  }
}

}  // namespace

KeyPanels::KeyPanels(const NdView<const float, 2>& key)
    : n_keys_(key.shape(0)),
      head_dim_(key.shape(1)),
      numbers_(static_cast<std::size_t>(whole_panels(n_keys_) * head_dim_)) {
  for (std::int64_t first = 0; first < n_keys_; first += kPanelColumns) {
    transpose_to_panel(key.sub(first).data(), head_dim_, std::min(kPanelColumns, n_keys_ - first),
                       head_dim_, numbers_.data() + first * head_dim_);
  }
}

const float* KeyPanels::panel(std::int64_t i) const {
  return numbers_.data() + i * kPanelColumns * head_dim_;
}

std::vector<KeyPanels> key_panels(const NdView<const float, 3>& key) {
  std::vector<KeyPanels> out(static_cast<std::size_t>(key.shape(0)));
  parallel_for(key.shape(0), [&](std::int64_t head) {
    out[static_cast<std::size_t>(head)] = KeyPanels(key.sub(head));
  });
  return out;
}

void score_rows(const NdView<const float, 2>& query, const KeyPanels& key,
                std::span<const std::int32_t> positions, std::int64_t window,
                const NdView<float, 2>& out) {
  const std::int64_t n_keys = out.shape(1), head_dim = query.shape(1);
  assert(key.n_keys() >= n_keys && key.head_dim() == head_dim);
  const NdArray<float, 2> rows = rows_at(query, positions);
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
  to_scores(positions, window, head_dim, out);
}

void score_rows(const NdView<const float, 2>& query, const NdView<const float, 2>& key,
                std::span<const std::int32_t> positions, std::int64_t window,
                const NdView<float, 2>& out) {
  const std::int64_t n_keys = out.shape(1), head_dim = query.shape(1);
  assert(key.shape(0) >= n_keys);
  matmul_nt(rows_at(query, positions).view(), {key.data(), {n_keys, head_dim}}, out);
  to_scores(positions, window, head_dim, out);
}

}  // namespace qaq
