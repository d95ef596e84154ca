#include "core/tensor/linear.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "core/base/parallel.h"
#include "core/tensor/panel.h"

namespace qaq {
namespace {

// From this many rows on, decoding a panel costs less than decoding for every row.
constexpr std::int64_t kPanelRows = 4;
// Columns of a panel that lie in the cache at once: 128 KiB, a part of a core's L2.
constexpr std::int64_t kDeepest = 1024;
// Outputs of a task of few rows: enough to be worth a task.
constexpr std::int64_t kTaskOutputs = 64;

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Equal parts of the columns; whole blocks of every type (256 numbers), but for the last.
std::int64_t part_depth(std::int64_t n_columns) {
  return ceil_divide(ceil_divide(n_columns, ceil_divide(n_columns, kDeepest)), 256) * 256;
}

void multiply_by_panels(NdView<const float, 2> x, const LinearOutput& out, std::int64_t first) {
  const WeightView& w = out.weight;
  const std::int64_t n = std::min(kPanelColumns, w.rows - first), depth = part_depth(w.cols);
  thread_local std::vector<float> panel;
  panel.resize(static_cast<std::size_t>(std::min(depth, w.cols) * kPanelColumns));
  for (std::int64_t column = 0; column < w.cols; column += depth) {
    const std::int64_t n_columns = std::min(depth, w.cols - column);
    decode_panel(w, {first, n, column, n_columns}, panel.data());
    multiply_panel({.a = x.data() + column,
                    .a_stride = w.cols,
                    .panel = panel.data(),
                    .n_rows = x.shape(0),
                    .depth = n_columns,
                    .c = out.y.data() + first,
                    .c_stride = w.rows,
                    .n_columns = n,
                    .bias = out.bias && column == 0 ? out.bias + first : nullptr,
                    .accumulate = out.accumulate || column > 0});
  }
}

void multiply_by_rows(NdView<const float, 2> x, const LinearOutput& out, std::int64_t first) {
  const std::int64_t n = std::min(kTaskOutputs, out.weight.rows - first);
  for (std::int64_t row = 0; row < x.shape(0); ++row) {
    float sums[kTaskOutputs];
    multiply_rows(out.weight, first, n, x.sub(row).data(), sums);
    float* y = out.y.sub(row).data() + first;
    for (std::int64_t i = 0; i < n; ++i) {
      const float sum = out.bias ? sums[i] + out.bias[first + i] : sums[i];
      y[i] = out.accumulate ? y[i] + sum : sum;
    }
  }
}

}  // namespace

void linear(NdView<const float, 2> x, std::span<const LinearOutput> outputs) {
  const bool panels = x.shape(0) >= kPanelRows;
  const std::int64_t outputs_of_task = panels ? kPanelColumns : kTaskOutputs;
  struct Task {
    const LinearOutput* out;
    std::int64_t first;
  };
  std::vector<Task> tasks;
  for (const LinearOutput& out : outputs) {
    assert(out.weight.cols == x.shape(1) && out.y.shape(0) == x.shape(0) &&
           out.y.shape(1) == out.weight.rows);
    for (std::int64_t first = 0; first < out.weight.rows; first += outputs_of_task) {
      tasks.push_back({&out, first});
    }
  }
  parallel_for(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t i) {
    const Task& task = tasks[static_cast<std::size_t>(i)];
    if (panels) {
      multiply_by_panels(x, *task.out, task.first);
    } else {
      multiply_by_rows(x, *task.out, task.first);
    }
  });
}

}  // namespace qaq
