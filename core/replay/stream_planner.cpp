#include "core/replay/stream_planner.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/base/parameter_grid.h"
#include "core/base/text.h"
#include "core/policy/output_distance.h"
#include "core/policy/policies.h"
#include "core/policy/qaq_policy.h"
#include "core/policy/query_norms.h"
#include "core/quant/unit_errors.h"
#include "core/replay/capture_rows.h"

namespace qaq {

namespace {

// The layers from a token on: to be read by rows, which lie as far apart as before.
std::vector<CacheLayer> layers_from(std::span<const CacheLayer> layers, std::int64_t token) {
  std::vector<CacheLayer> out;
  for (const CacheLayer& layer : layers) {
    out.emplace_back(layer.data() + token * layer.shape(2), layer.shape());
  }
  return out;
}

}  // namespace

std::optional<ImportanceOptions> streamed_importance(const PolicyNeeds& needs,
                                                     const StreamingParams& params) {
  std::optional<ImportanceOptions> out = needs.importance;
  if (out && params.importance != ImportanceRule::window_max) out->rule = params.importance;
  return out;
}

QaqParams planning_params(const QaqParams& policy, const StreamingParams& params) {
  QaqParams out = policy;
  if (params.importance != ImportanceRule::window_max) {
    for (QaqSideParams* side : {&out.key, &out.value}) {
      side->last_n_attentions = 1;
      side->window_rule = WindowRule::fixed;
    }
  }
  return out;
}

std::shared_ptr<const CachePolicy> planning_policy(const std::shared_ptr<const CachePolicy>& policy,
                                                   const QaqParams& qaq,
                                                   const StreamingParams& params) {
  if (!policy) return std::make_shared<QaqPolicy>(planning_params(qaq, params));
  if (is_qaq(*policy)) {
    return std::make_shared<QaqPolicy>(
        planning_params(params_of<QaqParams>(policy->parameters()), params));
  }
  if (params.importance != ImportanceRule::window_max) {
    refuse_usage({.place = "importance",
                  .what = cat("is of QAQ alone, and the policy is ", policy->name()),
                  .cure = "leave it out"});
  }
  return policy;
}

std::int64_t first_row_needed(const CachePolicy& policy, const StreamingParams& params,
                              std::int64_t prefill) {
  std::int64_t n_rows = 1;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const auto importance = streamed_importance(policy.needs(side), params);
    if (!importance) continue;
    if (importance->follows_all_rows()) return 0;
    n_rows = std::max(n_rows, importance->n_rows);
  }
  return std::max<std::int64_t>(0, prefill - n_rows);
}

StreamPlanner::StreamPlanner(const Source& source)
    : source_(source), needs_(source.policy.needs(source.side)) {
  const StreamedLayers& layers = source.layers;
  const CacheShape& shape = layers.shape;
  if (needs_.quantizer.level != Level::no_quantization) {
    const std::int64_t n_units = UnitLayout(needs_.quantizer.level, shape).n_units();
    stats_.resize(static_cast<std::size_t>(n_units));
    if (needs_.errors) errors_.resize(static_cast<std::size_t>(n_units * kBitChoices));
  }
  if (needs_.q_norm) {
    if (layers.query.empty()) refuse_without_queries(source.name, *needs_.q_norm);
    for (const auto& query : layers.query) {
      norms_.emplace_back(Shape<2>{query.shape(0), shape.n_tokens});
    }
  }
  if (const auto importance = streamed_importance(needs_, source.params)) {
    importance_.emplace(*importance, Shape<3>{shape.n_layers, shape.n_kv_heads, shape.n_tokens});
  }
}

void StreamPlanner::append(std::int64_t first, std::int64_t end) {
  const StreamedLayers& layers = source_.layers;
  CacheShape shape = layers.shape;
  shape.n_tokens = end - first;
  if (shape.n_tokens == 0) return;
  if (needs_.quantizer.level != Level::no_quantization) {
    const UnitLayout layout(needs_.quantizer.level, shape);
    const auto first_unit = static_cast<std::size_t>(first * layout.units_per_token());
    const auto n_units = static_cast<std::size_t>(layout.n_units());
    const auto exact = layers_from(layers.of(source_.side), first);
    const auto stats = std::span(stats_).subspan(first_unit, n_units);
    fill_unit_stats(layout, needs_.quantizer, 0, exact, stats);
    if (needs_.errors) {
      fill_unit_errors(layout, needs_.quantizer, stats, 0, exact,
                       std::span(errors_).subspan(first_unit * kBitChoices, n_units * kBitChoices));
    }
  }
  if (!needs_.q_norm) return;
  parallel_for(shape.n_layers, [&](std::int64_t layer) {
    const auto i = static_cast<std::size_t>(layer);
    for (std::int64_t head = 0; head < norms_[i].shape(0); ++head) {
      for (std::int64_t token = first; token < end; ++token) {
        norms_[i](head, token) = squared_norm(layers.query[i].sub(head, token).span());
      }
    }
  });
}

void StreamPlanner::push(std::int64_t layer, std::int64_t position,
                         const NdView<const float, 3>& row) {
  if (importance_) importance_->push(layer, position, row);
}

Plan StreamPlanner::plan(std::int64_t n_tokens, std::span<const NdArray<float, 3>> rows,
                         const SharedArray<std::uint8_t, 3>& kept) {
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
  if (importance_) {
    view.importance = importance_->of_first(n_tokens);
    view.window = importance_->windows();
  }
  NdArray<float, 2> norms;
  if (needs_.q_norm) {
    norms = NdArray<float, 2>({shape.n_layers, shape.n_kv_heads});
    parallel_for(shape.n_layers, [&](std::int64_t layer) {
      query_norms(norms_[static_cast<std::size_t>(layer)].view(), n_tokens, *needs_.q_norm,
                  norms.sub(layer).span());
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
  if (kept) view.kept = kept->view();
  Plan plan = source_.policy.plan(view);
  plan.kept = kept;
  return plan;
}

}  // namespace qaq
