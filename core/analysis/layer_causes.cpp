// Causes in a layer as a whole, and in several together.
#include <algorithm>

#include "core/analysis/cause.h"
#include "core/analysis/diagnosis_limits.h"
#include "core/analysis/row_table.h"
#include "core/base/text.h"

namespace qaq {
namespace {

std::vector<std::int64_t> cells_of_layers(const CauseContext& context,
                                          std::optional<CacheSide> side,
                                          const std::function<bool(std::int64_t layer)>& takes) {
  std::vector<std::int64_t> out;
  for (std::int64_t index = 0; index < context.scores.size(); ++index) {
    const CellAddress cell = context.cell(index);
    if ((!side || cell.side == *side) && takes(cell.layer)) out.push_back(index);
  }
  return out;
}

}  // namespace

Suspicion find_key_bias(const CauseContext& context) {
  Suspicion out;
  const std::span<const double> norms = context.key_bias_norms;
  if (norms.empty()) {
    out.evidence = "the model's keys have no bias";
    return out;
  }
  const double median = median_of({norms.begin(), norms.end()});
  const auto spikes = [&](std::int64_t layer) {
    const auto model_layer = context.capture.info().layers[static_cast<std::size_t>(layer)];
    return norms[static_cast<std::size_t>(model_layer)] > kBiasRatio * median;
  };
  const auto held = suspects_where(
      context, CacheSide::key,
      [&](const SettingSide&, const CellAddress& cell, std::size_t) { return spikes(cell.layer); });
  out.evidence = cat(held.size(), " of ", count_suspects(context, CacheSide::key),
                     " suspect keys lie in a layer whose bias is above ", kBiasRatio,
                     " times the median norm");
  if (held.empty()) return out;
  std::int64_t layer = context.cell(held.front()).layer;
  const auto model_layer = context.capture.info().layers[static_cast<std::size_t>(layer)];
  out.evidence +=
      cat(" (layer ", model_layer, ": ", short_text(norms[static_cast<std::size_t>(model_layer)]),
          ", median ", short_text(median), ")");
  double share = 0;
  for (const std::int64_t index : held) share += context.score(index);
  out.suspect_share = share;
  out.cells =
      cells_of_layers(context, CacheSide::key, [&](std::int64_t each) { return each == layer; });
  return out;
}

Suspicion find_carried_error(const CauseContext& context) {
  Suspicion out;
  out.evidence = cat("the suspects lie in ", context.n_suspect_layers,
                     " layers, and the strongest, each quantized alone, ",
                     context.harmless_alone ? "do no harm" : "fail, too");
  if (context.n_suspect_layers < 2 || !context.harmless_alone) return out;
  double even = 0, odd = 0;
  for (const std::int64_t index : context.suspects) {
    (context.cell(index).layer % 2 == 0 ? even : odd) += context.score(index);
  }
  const std::int64_t left_exact = even > odd ? 0 : 1;
  out.cells =
      cells_of_layers(context, {}, [&](std::int64_t layer) { return layer % 2 == left_exact; });
  out.suspect_share = even + odd;
  return out;
}

}  // namespace qaq
