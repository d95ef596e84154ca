#include "core/analysis/cause.h"

#include <algorithm>
#include <array>

#include "core/analysis/diagnosis_limits.h"
#include "core/policy/importance.h"
#include "core/policy/query_norms.h"
#include "core/replay/capture_rows.h"

namespace qaq {

StepReads step_reads(const CaptureView& capture, std::int64_t n_prefix, std::int64_t position,
                     GqaReduce reduce) {
  const CaptureInfo& info = capture.info();
  const ModelShape& s = info.shape;
  const std::int64_t n_layers = info.n_captured_layers(), row = first_row_behind(info, position);
  StepReads out{position, NdArray<float, 3>({n_layers, s.n_kv_heads, n_prefix}),
                NdArray<float, 2>({n_layers, s.n_kv_heads}),
                NdArray<float, 2>({n_layers, s.n_kv_heads})};
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    const SharedArray<float, 3> scores = capture.attention(layer, row, 1);
    const SharedArray<float, 3> query = capture.query(layer);
    window_importance(scores->view(), reduce, out.attention.sub(layer));
    for (std::int64_t head = 0; head < s.n_heads; ++head) {
      const auto first = scores->sub(head, 0).span().first(
          static_cast<std::size_t>(std::min(kSinkTokens, n_prefix)));
      float mass = 0;
      for (const float score : first) mass += score;
      float& most = out.sink_mass(layer, head / s.group_size());
      most = std::max(most, mass);
      float& norm = out.q_norm(layer, head / s.group_size());
      norm = std::max(norm, static_cast<float>(squared_norm(query->sub(head, position).span())));
    }
  }
  return out;
}

std::vector<std::int64_t> suspects_where(
    const CauseContext& context, std::optional<CacheSide> side,
    const std::function<bool(const SettingSide& of, const CellAddress& cell, std::size_t unit)>&
        holds) {
  std::vector<std::int64_t> out;
  for (const std::int64_t index : context.suspects) {
    const CellAddress cell = context.cell(index);
    const SettingSide& of = context.setting.side(cell.side);
    if (!of.quantizes() || (side && cell.side != *side)) continue;
    if (holds(of, cell, of.unit(cell.layer, cell.kv_head, cell.token))) out.push_back(index);
  }
  return out;
}

std::int64_t count_suspects(const CauseContext& context, std::optional<CacheSide> side) {
  return std::ssize(suspects_where(
      context, side, [](const SettingSide&, const CellAddress&, std::size_t) { return true; }));
}

double median_of(std::vector<double> numbers) {
  if (numbers.empty()) return 0;
  const auto middle = numbers.begin() + std::ssize(numbers) / 2;
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

std::span<const Cause> causes() {
  static constexpr std::array kAll{
      Cause{"bits_clamped", "bits clamped too low", "the bits that were asked for (n_bits_max 16)",
            find_clamped_bits},
      Cause{"target_loose", "target too loose",
            "a quarter of the target error, or flat bits and 2 more", find_loose_target},
      Cause{"outlier_missed", "outlier missed", "one more value kept exactly at each end",
            find_missed_outlier},
      Cause{"importance_jumped", "importance jumped",
            "bits from the attention that was still to come", find_jumped_importance},
      Cause{"query_norm", "query norm above the bound", "bits from the norm of the step's queries",
            find_query_norm},
      Cause{"range_clipped", "range clipped by the mean-centred quantizer",
            "the same bits laid over the middle of the range", find_clipped_range},
      Cause{"sink_token", "sink token", "the first 4 tokens of these heads left exact", find_sink},
      Cause{"key_bias", "spike of the key bias", "keys of that layer left exact", find_key_bias},
      Cause{"carried_error", "error carried from layer to layer",
            "every other layer quantized alone", find_carried_error},
  };
  return kAll;
}

}  // namespace qaq
