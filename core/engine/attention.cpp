#include "core/engine/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/parallel.h"
#include "core/tensor/panel.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

// Rows whose scores are made, normalized and mixed together: two tiles of multiply_panel on the
// widest machines, and at 4,096 keys 400 kB, which a core's L2 cache holds.
constexpr std::int64_t kRows = 24;

std::int64_t whole_panels(std::int64_t n) {
  return (n + kPanelColumns - 1) / kPanelColumns * kPanelColumns;
}

// Some rows of one head. Row i of `scores` is position first_position + i, `stride` numbers long.
struct HeadRowsPiece {
  std::int64_t head = 0;
  std::int64_t first_row = 0;
  std::int64_t n_rows = 0;
  float* scores = nullptr;
  std::int64_t stride = 0;
};

void attend_rows(const AttentionCall& call, const HeadRowsPiece& piece) {
  const std::int64_t d = call.shape->head_dim, kv = piece.head / call.shape->group_size();
  const std::int64_t position = call.first_position + piece.first_row;
  const std::int64_t n_seen = position + piece.n_rows;  // keys that the last row sees
  // The first key that any row sees, and the panel that holds it.
  const std::int64_t first_key =
      call.window > 0 ? std::max<std::int64_t>(0, position + 1 - call.window) : 0;
  const std::int64_t first_panel = first_key / kPanelColumns;

  for (std::int64_t panel = first_panel; panel * kPanelColumns < n_seen; ++panel) {
    const std::int64_t key = panel * kPanelColumns;
    multiply_panel({.a = call.query + (piece.head * call.n_rows + piece.first_row) * d,
                    .a_stride = d,
                    .panel = call.cache->key_panel(call.layer, kv, panel),
                    .n_rows = piece.n_rows,
                    .depth = d,
                    .c = piece.scores + key,
                    .c_stride = piece.stride,
                    .n_columns = std::min(kPanelColumns, piece.stride - key)});
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(d)));
  for (std::int64_t row = 0; row < piece.n_rows; ++row) {
    float* scores = piece.scores + row * piece.stride;
    const std::int64_t end = position + row + 1;
    const std::int64_t first = call.window > 0 ? std::max<std::int64_t>(0, end - call.window) : 0;
    std::fill_n(scores, first, 0.0f);
    softmax_row({scores + first, static_cast<std::size_t>(piece.stride - first)},
                static_cast<std::size_t>(end - first), scale);
  }
  const std::int64_t out_stride = call.shape->n_heads * d;
  for (std::int64_t column = 0; column < d; column += kPanelColumns) {
    multiply_panel({.a = piece.scores + first_key,
                    .a_stride = piece.stride,
                    .panel = call.cache->values(call.layer, kv, first_key) + column,
                    .panel_stride = call.cache->value_stride(),
                    .n_rows = piece.n_rows,
                    .depth = n_seen - first_key,
                    .c = call.out + piece.first_row * out_stride + piece.head * d + column,
                    .c_stride = out_stride,
                    .n_columns = std::min(kPanelColumns, d - column)});
  }
}

}  // namespace

void attend(const AttentionCall& call, const AttentionPart& part, float* scores) {
  const std::int64_t n_keys = call.first_position + call.n_rows;
  const std::int64_t n_pieces = (part.n_rows + kRows - 1) / kRows;
  parallel_for(part.n_heads * n_pieces, [&](std::int64_t task) {
    const std::int64_t head = task / n_pieces, row = task % n_pieces * kRows;
    HeadRowsPiece piece{.head = part.first_head + head,
                        .first_row = part.first_row + row,
                        .n_rows = std::min(kRows, part.n_rows - row)};
    thread_local std::vector<float> scratch;
    if (scores) {
      piece.scores = scores + (head * part.n_rows + row) * n_keys;
      piece.stride = n_keys;
    } else {
      piece.stride = whole_panels(call.first_position + piece.first_row + piece.n_rows);
      scratch.resize(static_cast<std::size_t>(
          std::max<std::int64_t>(static_cast<std::int64_t>(scratch.size()), kRows * piece.stride)));
      piece.scores = scratch.data();
    }
    attend_rows(call, piece);
  });
}

}  // namespace qaq
