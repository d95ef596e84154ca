// panel.h in plain loops, for builds without Highway.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/tensor/panel.h"

namespace qaq {
namespace {

std::span<const std::byte> bytes_of_row(const WeightView& weight, std::int64_t row) {
  const auto n = static_cast<std::size_t>(row_bytes(weight.type, weight.cols));
  return weight.bytes.subspan(static_cast<std::size_t>(row) * n, n);
}

}  // namespace

void multiply_panel(const PanelProduct& p) {
  for (std::int64_t row = 0; row < p.n_rows; ++row) {
    for (std::int64_t j = 0; j < p.n_columns; ++j) {
      float& c = p.c[row * p.c_stride + j];
      float sum = 0;
      for (std::int64_t k = 0; k < p.depth; ++k) {
        sum = std::fma(p.a[row * p.a_stride + k], p.panel[k * p.panel_stride + j], sum);
      }
      if (p.bias) sum += p.bias[j];
      c = p.accumulate ? sum + c : sum;
    }
  }
}

void transpose_to_panel(const float* rows, std::int64_t stride, std::int64_t n_rows,
                        std::int64_t n_columns, float* out) {
  for (std::int64_t j = 0; j < n_columns; ++j) {
    for (std::int64_t i = 0; i < n_rows; ++i) out[j * kPanelColumns + i] = rows[i * stride + j];
    std::fill(out + j * kPanelColumns + n_rows, out + (j + 1) * kPanelColumns, 0.0f);
  }
}

void decode_panel(const WeightView& weight, const WeightPart& part, float* panel) {
  const auto first = static_cast<std::size_t>(row_bytes(weight.type, part.first_col));
  const auto n_bytes = static_cast<std::size_t>(row_bytes(weight.type, part.n_cols));
  std::vector<float> rows(static_cast<std::size_t>(part.n_rows * part.n_cols));
  for (std::int64_t i = 0; i < part.n_rows; ++i) {
    decode_row(weight.type, bytes_of_row(weight, part.first_row + i).subspan(first, n_bytes),
               {rows.data() + i * part.n_cols, static_cast<std::size_t>(part.n_cols)});
  }
  transpose_to_panel(rows.data(), part.n_cols, part.n_rows, part.n_cols, panel);
}

void multiply_rows(const WeightView& weight, std::int64_t first_row, std::int64_t n_rows,
                   const float* x, float* y) {
  std::vector<float> row(static_cast<std::size_t>(weight.cols));
  for (std::int64_t i = 0; i < n_rows; ++i) {
    decode_row(weight.type, bytes_of_row(weight, first_row + i), row);
    float sum = 0;
    for (std::size_t k = 0; k < row.size(); ++k) sum = std::fma(row[k], x[k], sum);
    y[i] = sum;
  }
}

}  // namespace qaq
