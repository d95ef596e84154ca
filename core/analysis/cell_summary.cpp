#include "core/analysis/cell_summary.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/policy/importance.h"
#include "core/replay/cache_replay.h"
#include "core/replay/capture_rows.h"
#include "core/replay/captured_layers.h"

namespace qaq {
namespace {

std::optional<double> clip_share(const CellExplanation& cell, std::span<const float> values) {
  if (cell.params.method != Method::uniform) return std::nullopt;
  // Rounding of base and scale must not look like clipping.
  constexpr double kHalfStep = 0.5 + 1e-4;
  std::int64_t n = 0, n_clipped = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float x = values[i];
    if (cell.stats.is_outlier(x, static_cast<std::int64_t>(i))) continue;
    ++n;
    const double error = std::abs(double{decode(cell.grid, encode(cell.grid, x))} - double{x});
    if (error > kHalfStep * cell.grid.scale) ++n_clipped;
  }
  if (n == 0) return std::nullopt;
  return static_cast<double>(n_clipped) / static_cast<double>(n);
}

// The largest score of the token in rows [first, end), and the index of its row.
struct Largest {
  float score = 0;
  std::int64_t row = 0;
};
struct Rows {
  std::int64_t first, end;
};
std::optional<Largest> largest_score(const CaptureView& capture, const CellAddress& cell,
                                     GqaReduce reduce, const Rows& rows, const Work& work) {
  const std::int64_t layer = captured_index(capture.info().layers, cell.layer).value();
  std::optional<Largest> best;
  const std::int64_t step = rows_at_a_time(capture.info());
  for (std::int64_t from = rows.first; from < rows.end; from += step) {
    work.throw_if_stopped();
    const std::int64_t n = std::min(step, rows.end - from);
    const auto scores = capture.attention(layer, from, n);
    NdArray<float, 3> row({scores->shape(0), 1, scores->shape(2)});
    NdArray<float, 2> seen({capture.info().shape.n_kv_heads, cell.token + 1});
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t head = 0; head < row.shape(0); ++head) {
        std::ranges::copy(scores->sub(head, i).span(), row.sub(head, 0).data());
      }
      window_importance(row.view(), reduce, seen.view());
      const float score = seen(cell.kv_head, cell.token);
      if (!best || score > best->score) best = Largest{score, from + i};
    }
  }
  return best;
}

void look_at_attention(const CaptureView& capture, GqaReduce reduce, const Work& work,
                       CellSummary& out) {
  const CaptureInfo& info = capture.info();
  if (info.profile == AttentionProfile::none) return;
  const CellAddress& cell = out.explanation.cell;
  const std::int64_t prefix = out.explanation.prefix;
  const std::int64_t window =
      std::min<std::int64_t>(out.explanation.params.last_n_attentions, prefix);
  const std::int64_t first = first_row_behind(info, prefix - window);
  const std::int64_t behind = first_row_behind(info, prefix);
  if (const auto most = largest_score(capture, cell, reduce, {first, behind}, work);
      most && behind - first == window) {
    out.window_max = most->score;
  }
  if (const auto most = largest_score(capture, cell, reduce, {behind, info.n_query_rows()}, work)) {
    out.later_max = most->score;
    out.later_step = info.query_token[static_cast<std::size_t>(most->row)];
  }
}

}  // namespace

CellSummary summarize_cell(const CaptureView& capture, GqaReduce reduce,
                           CellExplanation explanation, const Work& work) {
  CellSummary out;
  out.explanation = std::move(explanation);
  look_at_attention(capture, reduce, work, out);
  const CellExplanation& x = out.explanation;
  if (!x.why_exact.empty()) return out;
  const CaptureInfo& info = capture.info();
  const CellAddress& cell = x.cell;
  const std::int64_t layer = captured_index(info.layers, cell.layer).value();
  out.mid_range = (double{x.stats.min} + double{x.stats.max}) / 2;
  if (x.params.use_attentions) {
    const double error = x.bits.choice.error;
    out.sigma_bound =
        x.params.variant == Variant::reference ? error / std::sqrt(3.0) : std::sqrt(error);
  }
  const auto values = exact_layer(capture, cell.side, layer);
  out.clip_share = clip_share(x, values->sub(cell.kv_head, cell.token).span());
  return out;
}

}  // namespace qaq
