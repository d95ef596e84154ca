#include "core/replay/planner.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/output_distance.h"
#include "core/policy/query_norms.h"
#include "core/quant/unit_errors.h"
#include "core/replay/capture_rows.h"

namespace qaq {
namespace {

std::size_t index_of(CacheSide side) { return side == CacheSide::key ? 0 : 1; }

bool same_spec(const QuantizerSpec& a, const QuantizerSpec& b) {
  return a.level == b.level && a.range_rule == b.range_rule && a.store_scale == b.store_scale &&
         a.symmetric == b.symmetric && a.same_outliers(b);
}

// Where the captured rows prefix - n .. prefix - 1 begin.
std::int64_t first_window_row(const CaptureInfo& info, CacheSide side, std::int64_t prefix,
                              std::int64_t n) {
  const std::int64_t first = first_row_behind(info, prefix - n);
  if (info.profile == AttentionProfile::none || first_row_behind(info, prefix) - first < n) {
    refuse_input({.file = info.name,
                  .place = "/entry/attention",
                  .what = cat("lacks the attention rows ", prefix - n, " to ", prefix - 1,
                              " that the ", name_of(side), "s' bits follow from"),
                  .cure = cat("capture again with --attention derive, or --set ",
                              side == CacheSide::key ? "key.bound_target=entry"
                                                     : "value.use_attentions=false")});
  }
  return first;
}

// Calls body(first_layer, views) with the layers of one cache: all at once where a unit spans all
// of them, else one at a time.
template <class Body>
void read_layers(const CaptureView& capture, CacheSide side, const UnitLayout& layout,
                 const Work& work, const Body& body) {
  const std::int64_t n_layers = layout.shape().n_layers;
  std::vector<SharedArray<float, 3>> held;
  std::vector<CacheLayer> views;
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({name_of(side), layer, n_layers, "layers"});
    work.throw_if_stopped();
    held.push_back(exact_layer(capture, side, layer));
    views.push_back(held.back()->view());
    if (layout.level() == Level::token && layer + 1 < n_layers) continue;
    body(layer + 1 - static_cast<std::int64_t>(views.size()), std::span<const CacheLayer>(views));
    held.clear();
    views.clear();
  }
}

}  // namespace

std::int64_t checked_prefix(const CaptureInfo& info, std::int64_t prefix) {
  if (info.n_tokens < 1 || info.layers.empty()) {
    refuse_input({.file = info.name, .what = "holds no tokens", .cure = "capture again"});
  }
  if (prefix < 0 || prefix > info.n_tokens) {
    refuse_usage({.place = "--prefix",
                  .what = cat(prefix, " is out of range"),
                  .cure = cat("give 1 to ", info.n_tokens, ", or 0 for all tokens")});
  }
  return prefix == 0 ? info.n_tokens : prefix;
}

PolicyView Planner::view(const CachePolicy& policy, CacheSide side, std::int64_t prefix,
                         const Work& work) {
  const CaptureInfo& info = capture_.info();
  const PolicyNeeds needs = policy.needs(side);
  PolicyView view;
  view.side = side;
  view.layout = UnitLayout(needs.quantizer.level, {info.n_captured_layers(), info.shape.n_kv_heads,
                                                   prefix, info.shape.head_dim});
  if (needs.statistics && needs.quantizer.level != Level::no_quantization) {
    view.stats = stats(side, view.layout, needs.quantizer, work);
  }
  if (needs.errors) view.errors = errors(side, view.layout, needs.quantizer, work);
  if (needs.attention_rows > 0) view.importance = importance(side, needs, prefix, work);
  if (needs.q_norm_quantile) view.q_norm = query_norms(*needs.q_norm_quantile, prefix, work);
  if (needs.distances) view.distance = distances(prefix, work);
  return view;
}

PlannedCache Planner::plan(const CachePolicy& policy, CacheSide side, std::int64_t prefix,
                           const Work& work) {
  const PolicyView seen = view(policy, side, prefix, work);
  return {side, policy.plan(seen), seen.stats};
}

std::span<const UnitStats> Planner::stats(CacheSide side, const UnitLayout& layout,
                                          const QuantizerSpec& spec, const Work& work) {
  const std::int64_t prefix = layout.shape().n_tokens;
  KnownStats& known = stats_[index_of(side)];
  if (known.prefix == prefix && known.spec.level == layout.level() &&
      known.spec.same_outliers(spec) && known.spec.method == spec.method) {
    return known.stats;
  }
  known.prefix = -1;  // until it is whole
  known.errors_spec.reset();
  known.stats.resize(static_cast<std::size_t>(layout.n_units()));
  read_layers(capture_, side, layout, work,
              [&](std::int64_t first, std::span<const CacheLayer> layers) {
                fill_unit_stats(layout, spec, first, layers, known.stats);
              });
  known.prefix = prefix;
  known.spec = spec;
  return known.stats;
}

std::span<const float> Planner::errors(CacheSide side, const UnitLayout& layout,
                                       const QuantizerSpec& spec, const Work& work) {
  KnownStats& known = stats_[index_of(side)];
  if (known.errors_spec && same_spec(*known.errors_spec, spec)) return known.errors;
  known.errors_spec.reset();
  known.errors.resize(static_cast<std::size_t>(layout.n_units() * kBitChoices));
  read_layers(capture_, side, layout, work,
              [&](std::int64_t first, std::span<const CacheLayer> layers) {
                fill_unit_errors(layout, spec, known.stats, first, layers, known.errors);
              });
  known.errors_spec = spec;
  return known.errors;
}

NdView<const float, 3> Planner::importance(CacheSide side, const PolicyNeeds& needs,
                                           std::int64_t prefix, const Work& work) {
  const CaptureInfo& info = capture_.info();
  const std::int64_t n = std::min(needs.attention_rows, prefix);
  const bool window = rows_ == ImportanceRows::window;
  const std::int64_t first =
      window ? first_window_row(info, side, prefix, n) : first_replayed_row(info, prefix);
  const std::int64_t last = window ? first + n : info.n_query_rows();
  auto& held = importance_[index_of(side)];
  held = windows_.importance(prefix, last, last - first, needs.gqa_reduce, work);
  return held->view();
}

NdView<const float, 2> Planner::query_norms(double quantile, std::int64_t prefix,
                                            const Work& work) {
  const CaptureInfo& info = capture_.info();
  if (norms_.prefix == prefix && norms_.quantile == quantile) return norms_.values.view();
  if (!info.has_queries) {
    refuse_input({.file = info.name,
                  .place = "/entry/query",
                  .what = "holds no queries, which key.q_norm=auto is measured on",
                  .cure = "capture again without --no-queries, or --set key.q_norm=300"});
  }
  norms_.prefix = -1;
  norms_.values = NdArray<float, 2>({info.n_captured_layers(), info.shape.n_kv_heads});
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    work.throw_if_stopped();
    query_norm_quantiles(capture_.query(layer)->view(), prefix, quantile,
                         norms_.values.sub(layer).span());
  }
  norms_.prefix = prefix;
  norms_.quantile = quantile;
  return norms_.values.view();
}

NdView<const float, 3> Planner::distances(std::int64_t prefix, const Work& work) {
  const CaptureInfo& info = capture_.info();
  if (distances_.prefix == prefix) return distances_.values.view();
  const std::int64_t newest = first_window_row(info, CacheSide::key, prefix, 1);
  distances_.prefix = -1;
  distances_.values = NdArray<float, 3>({info.n_captured_layers(), info.shape.n_kv_heads, prefix});
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    work.throw_if_stopped();
    output_distances(capture_.attention(layer, newest, 1)->view(), capture_.value(layer)->view(),
                     distances_.values.sub(layer));
  }
  distances_.prefix = prefix;
  return distances_.values.view();
}

}  // namespace qaq
