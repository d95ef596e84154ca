#pragma once

#include <cstdint>

#include "core/tensor/weight_block.h"

namespace qaq {

/// Products over panels: the inner loops of prefill, run on the calling thread with the widest
/// vectors that the processor has (Highway, chosen at run time; plain loops without Highway).
///
/// A panel is a matrix (depth, kPanelColumns), row-major, whose columns are outputs: weights of 32
/// outputs, 32 keys, or 32 channels of values. A tile of rows meets it with one broadcast and a few
/// loads for each step of depth, and sums stay in registers.
inline constexpr std::int64_t kPanelColumns = 32;
/// n, rounded up to whole panels.
constexpr std::int64_t whole_panels(std::int64_t n) {
  return (n + kPanelColumns - 1) / kPanelColumns * kPanelColumns;
}

/// C = A P, or C += A P: A (n_rows, depth), P (depth, 32), C (n_rows, n_columns).
struct PanelProduct {
  const float* a = nullptr;
  std::int64_t a_stride = 0;  ///< numbers between rows
  const float* panel = nullptr;
  std::int64_t panel_stride = kPanelColumns;
  std::int64_t n_rows = 0;
  std::int64_t depth = 0;
  float* c = nullptr;
  std::int64_t c_stride = 0;
  std::int64_t n_columns = kPanelColumns;  ///< columns of C that are there, at most 32
  const float* bias = nullptr;             ///< (n_columns), added once; or null
  bool accumulate = false;
};
/// Each sum runs over depth in order, one fused multiply-add a step; then come bias and C.
void multiply_panel(const PanelProduct& product);

/// Writes rows as columns: out (n_columns, kPanelColumns), out[j][i] = rows[i][j] for i < n_rows;
/// other columns are zero. n_rows is at most 32; rows lie `stride` numbers apart.
void transpose_to_panel(const float* rows, std::int64_t stride, std::int64_t n_rows,
                        std::int64_t n_columns, float* out);

/// Decodes weights [first_row, first_row + n_rows) x [first_col, first_col + n_cols) into a panel
/// (n_cols, kPanelColumns), exactly as decode_row does. n_rows is at most 32; columns are whole
/// blocks.
struct WeightPart {
  std::int64_t first_row = 0;
  std::int64_t n_rows = 0;
  std::int64_t first_col = 0;
  std::int64_t n_cols = 0;
};
void decode_panel(const WeightView& weight, const WeightPart& part, float* panel);

/// y[i] = weight[first_row + i] x for n_rows rows, straight from the stored blocks: the inner loop
/// of decoding. x (cols). Weights are decoded exactly; sums run in a fixed order.
void multiply_rows(const WeightView& weight, std::int64_t first_row, std::int64_t n_rows,
                   const float* x, float* y);

}  // namespace qaq
