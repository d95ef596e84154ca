#include "core/replay/stream_planner.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/policy/output_distance.h"
#include "core/policy/query_norms.h"
#include "core/quant/unit_errors.h"

namespace qaq {

StreamPlanner::StreamPlanner(const Source& source)
    : source_(source), needs_(source.policy.needs(source.side)) {
  const StreamedLayers& layers = source.layers;
  const CacheShape& shape = layers.shape;
  const auto exact = layers.of(source.side);
  if (needs_.quantizer.level != Level::no_quantization) {
    const UnitLayout layout(needs_.quantizer.level, shape);
    stats_.resize(static_cast<std::size_t>(layout.n_units()));
    fill_unit_stats(layout, needs_.quantizer, 0, exact, stats_);
    if (needs_.errors) {
      errors_.resize(static_cast<std::size_t>(layout.n_units() * kBitChoices));
      fill_unit_errors(layout, needs_.quantizer, stats_, 0, exact, errors_);
    }
  }
  if (needs_.q_norm_quantile) {
    if (layers.query.empty()) {
      refuse_input({.file = source.name,
                    .place = "/entry/query",
                    .what = "holds no queries, which key.q_norm=auto is measured on",
                    .cure = "capture again without --no-queries, or --set key.q_norm=300"});
    }
    norms_.resize(layers.query.size());
    parallel_for(shape.n_layers, [&](std::int64_t layer) {
      const auto i = static_cast<std::size_t>(layer);
      norms_[i] = squared_norms(layers.query[i], shape.n_tokens);
    });
  }
  if (needs_.attention_rows > 0) {
    importance_.emplace(RunningImportance::Options{source.params.importance, source.params.beta,
                                                   needs_.attention_rows, needs_.gqa_reduce},
                        Shape<3>{shape.n_layers, shape.n_kv_heads, shape.n_tokens});
  }
}

void StreamPlanner::push(std::int64_t layer, std::int64_t position,
                         const NdView<const float, 3>& row) {
  if (importance_) importance_->push(layer, position, row);
}

Plan StreamPlanner::plan(std::int64_t n_tokens, std::span<const NdArray<float, 3>> rows) {
  CacheShape shape = source_.layers.shape;
  shape.n_tokens = n_tokens;
  PolicyView view;
  view.side = source_.side;
  view.layout = UnitLayout(needs_.quantizer.level, shape);
  if (needs_.quantizer.level != Level::no_quantization) {
    const auto n_units = static_cast<std::size_t>(view.layout.n_units());
    view.stats = std::span(stats_).first(n_units);
    if (needs_.errors) view.errors = std::span(errors_).first(n_units * kBitChoices);
  }
  if (importance_) view.importance = importance_->of_first(n_tokens);
  NdArray<float, 2> norms;
  if (needs_.q_norm_quantile) {
    norms = NdArray<float, 2>({shape.n_layers, shape.n_kv_heads});
    parallel_for(shape.n_layers, [&](std::int64_t layer) {
      norm_quantiles(norms_[static_cast<std::size_t>(layer)].view(), n_tokens,
                     *needs_.q_norm_quantile, norms.sub(layer).span());
    });
    view.q_norm = norms.view();
  }
  NdArray<float, 3> distances;
  if (needs_.distances) {
    distances = NdArray<float, 3>({shape.n_layers, shape.n_kv_heads, n_tokens});
    parallel_for(shape.n_layers, [&](std::int64_t layer) {
      const auto i = static_cast<std::size_t>(layer);
      output_distances(rows[i].view(), source_.layers.value[i], distances.sub(layer));
    });
    view.distance = distances.view();
  }
  return source_.policy.plan(view);
}

}  // namespace qaq
