#include "core/replay/importance_windows.h"

#include <algorithm>
#include <cassert>
#include <memory>

#include "core/base/parallel.h"
#include "core/policy/importance.h"
#include "core/replay/capture_rows.h"

namespace qaq {
namespace {

constexpr std::size_t kMostKnown = 2;

}  // namespace

SharedArray<float, 3> ImportanceWindows::importance(std::int64_t prefix, std::int64_t last_row,
                                                    std::int64_t n_rows, GqaReduce reduce,
                                                    const Work& work, std::int64_t head_stride) {
  assert(n_rows >= 0 && n_rows <= last_row);
  const auto found = std::find_if(known_.begin(), known_.end(), [&](const Known& known) {
    return known.prefix == prefix && known.last_row == last_row && known.reduce == reduce &&
           known.head_stride == head_stride;
  });
  if (found == known_.end()) {
    Known fresh{
        .prefix = prefix, .last_row = last_row, .reduce = reduce, .head_stride = head_stride};
    fresh.other = of_one(fresh, n_rows, work);
    fresh.other_rows = n_rows;
    known_.push_front(std::move(fresh));
    if (known_.size() > kMostKnown) known_.pop_back();
    return known_.front().other;
  }
  known_.splice(known_.begin(), known_, found);
  Known& known = *found;
  if (known.other_rows == n_rows) return known.other;
  if (known.lengths.empty()) {
    const std::int64_t most = std::min(
        {last_row, kLengths, budget_bytes_ / std::max<std::int64_t>(1, 4 * known.other->size())});
    if (n_rows <= most) known.lengths = of_all(known, most, work);
  }
  if (n_rows <= std::ssize(known.lengths)) {
    return known.lengths[static_cast<std::size_t>(n_rows - 1)];
  }
  known.other = of_one(known, n_rows, work);
  known.other_rows = n_rows;
  return known.other;
}

SharedArray<float, 3> ImportanceWindows::of_one(const Known& of, std::int64_t n_rows,
                                                const Work& work) const {
  const CaptureInfo& info = capture_.info();
  const auto out = std::make_shared<NdArray<float, 3>>(
      Shape<3>{info.n_captured_layers(), info.shape.n_kv_heads, of.prefix});
  NdArray<float, 2> block({info.shape.n_kv_heads, of.prefix});
  const std::int64_t step = rows_at_a_time(info);
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    const auto largest = out->sub(layer).span();
    for (std::int64_t row = of.last_row - n_rows; row < of.last_row; row += step) {
      work.throw_if_stopped();
      const SharedArray<float, 3> scores =
          capture_.attention(layer, row, std::min(step, of.last_row - row));
      window_importance(scores->view(), of.reduce, block.view(), of.head_stride);
      for (std::size_t i = 0; i < largest.size(); ++i) {
        largest[i] = std::max(largest[i], block.span()[i]);
      }
    }
  }
  return out;
}

std::vector<SharedArray<float, 3>> ImportanceWindows::of_all(const Known& of, std::int64_t n_rows,
                                                             const Work& work) const {
  const CaptureInfo& info = capture_.info();
  const std::int64_t n_kv_heads = info.shape.n_kv_heads;
  std::vector<std::shared_ptr<NdArray<float, 3>>> lengths;
  for (std::int64_t n = 1; n <= n_rows; ++n) {
    lengths.push_back(std::make_shared<NdArray<float, 3>>(
        Shape<3>{info.n_captured_layers(), n_kv_heads, of.prefix}));
  }
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    work.throw_if_stopped();
    const SharedArray<float, 3> scores = capture_.attention(layer, of.last_row - n_rows, n_rows);
    parallel_for(n_kv_heads, [&](std::int64_t kv_head) {
      for (std::int64_t n = 1; n <= n_rows; ++n) {
        const auto out = lengths[static_cast<std::size_t>(n - 1)]->sub(layer, kv_head).span();
        row_importance(scores->view(), of.reduce, kv_head, n_kv_heads, n_rows - n, out,
                       of.head_stride);
        if (n == 1) continue;
        const auto shorter = lengths[static_cast<std::size_t>(n - 2)]->sub(layer, kv_head).span();
        for (std::size_t t = 0; t < out.size(); ++t) out[t] = std::max(out[t], shorter[t]);
      }
    });
  }
  return {lengths.begin(), lengths.end()};
}

}  // namespace qaq
