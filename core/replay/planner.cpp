#include "core/replay/planner.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/output_distance.h"
#include "core/policy/query_norms.h"
#include "core/quant/tail_codec.h"
#include "core/quant/unit_errors.h"
#include "core/replay/capture_rows.h"
#include "core/replay/kept_tokens.h"
#include "core/replay/known_rope.h"

namespace qaq {
namespace {

std::size_t index_of(CacheSide side) { return side == CacheSide::key ? 0 : 1; }

bool same_spec(const QuantizerSpec& a, const QuantizerSpec& b) {
  return a.level == b.level && a.range_rule == b.range_rule && a.store_scale == b.store_scale &&
         a.symmetric == b.symmetric && a.same_outliers(b);
}

// Where the captured rows prefix - n .. prefix - 1 begin; `instead` is what asks for none of them.
std::int64_t first_row_of(const CaptureInfo& info, CacheSide side, std::int64_t prefix,
                          std::int64_t n, const char* instead) {
  const std::int64_t first = first_row_behind(info, prefix - n);
  if (info.profile == AttentionProfile::none || first_row_behind(info, prefix) - first < n) {
    refuse_input({.file = info.name,
                  .place = "/entry/attention",
                  .what = cat("lacks the attention rows ", prefix - n, " to ", prefix - 1,
                              " that the ", name_of(side), "s' bits follow from"),
                  .cure = cat("capture again with --attention derive, or --set ", name_of(side),
                              ".", instead)});
  }
  return first;
}

const char* without_attention(CacheSide side) {
  return side == CacheSide::key ? "bound_target=entry" : "use_attentions=false";
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

std::int64_t planned_tokens(const PolicyNeeds& needs, std::int64_t prefix) {
  return prefix - prefix % needs.plan_stride;
}

PolicyView Planner::view(const CachePolicy& policy, CacheSide side, std::int64_t prefix,
                         const Work& work) {
  const CaptureInfo& info = capture_.info();
  const PolicyNeeds needs = policy.needs(side);
  PolicyView view;
  view.side = side;
  view.layout = UnitLayout(needs.quantizer.level, {info.n_captured_layers(), info.shape.n_kv_heads,
                                                   prefix, info.shape.head_dim});
  if (needs.quantizer.level != Level::no_quantization) {
    view.stats = stats(side, view.layout, needs.quantizer, work);
  }
  if (needs.errors) view.errors = errors(side, view.layout, needs.quantizer, work);
  if (needs.importance) view.importance = importance(side, *needs.importance, prefix, work);
  if (needs.importance && needs.importance->adaptive) {
    view.window = running(side, *needs.importance, prefix, work).window.view();
  }
  if (needs.q_norm) view.q_norm = norms(*needs.q_norm, prefix, work);
  if (needs.distances) view.distance = distances(prefix, work);
  if (needs.values) show_values(view, work);
  if (const auto tokens = kept(policy, prefix, work)) view.kept = tokens->view();
  return view;
}

PlannedCache Planner::plan(const CachePolicy& policy, CacheSide side, std::int64_t prefix,
                           const Work& work) {
  const std::int64_t n_planned = planned_tokens(policy.needs(side), prefix);
  if (n_planned < prefix) return plan_of_first(policy, side, n_planned, prefix, work);
  const PolicyView seen = view(policy, side, prefix, work);
  PlannedCache out{side, policy.plan(seen), seen.stats};
  out.plan.kept = kept(policy, prefix, work);
  held_ = {};
  return out;
}

void Planner::show_values(PolicyView& view, const Work& work) {
  const CaptureInfo& info = capture_.info();
  held_ = {};
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    work.report({name_of(view.side), layer, info.n_captured_layers(), "layers"});
    work.throw_if_stopped();
    held_.layers.push_back(exact_layer(capture_, view.side, layer));
    held_.views.push_back(held_.layers.back()->view());
  }
  view.layers = held_.views;
  view.rope = known_rope(info);
}

PlannedCache Planner::plan_of_first(const CachePolicy& policy, CacheSide side,
                                    std::int64_t n_planned, std::int64_t prefix, const Work& work) {
  const CaptureInfo& info = capture_.info();
  PlannedCache out;
  out.side = side;
  QuantizerSpec& quantizer = out.plan.quantizer;
  quantizer.level = Level::no_quantization;
  if (n_planned > 0) {
    const PolicyView seen = view(policy, side, n_planned, work);
    Plan first = policy.plan(seen);
    quantizer = first.quantizer;
    if (!first.keeps_all()) {
      out.stats = seen.stats;
      out.plan.codec = units_and_tail_codec(std::move(first), seen.stats, prefix);
    }
  }
  out.plan.layout = UnitLayout(quantizer.level, {info.n_captured_layers(), info.shape.n_kv_heads,
                                                 prefix, info.shape.head_dim});
  return out;
}

SharedArray<std::uint8_t, 3> Planner::kept(const CachePolicy& policy, std::int64_t prefix,
                                           const Work& work) {
  if (policy.retention() == nullptr) return nullptr;
  const std::string which = cat(policy.name(), parameters_json(policy.parameters()).dump());
  if (kept_.prefix != prefix || kept_.policy != which) {
    kept_ = {prefix, which, kept_tokens(capture_, *policy.retention(), prefix, work)};
  }
  return kept_.tokens;
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

NdView<const float, 3> Planner::importance(CacheSide side, const ImportanceOptions& options,
                                           std::int64_t prefix, const Work& work) {
  const CaptureInfo& info = capture_.info();
  const bool window = rows_ == ImportanceRows::window;
  if (window && options.follows_all_rows()) {
    return running(side, options, prefix, work).importance.view();
  }
  const std::int64_t n = std::min(options.n_rows, prefix);
  const std::int64_t first = window ? first_row_of(info, side, prefix, n, without_attention(side))
                                    : first_replayed_row(info, prefix);
  const std::int64_t last = window ? first + n : info.n_query_rows();
  auto& held = importance_[index_of(side)];
  held = windows_.importance(prefix, last, last - first, options.reduce, work, options.head_stride);
  return held->view();
}

const PrefixImportance& Planner::running(CacheSide side, const ImportanceOptions& options,
                                         std::int64_t prefix, const Work& work) {
  KnownRunning& known = running_[index_of(side)];
  if (known.prefix == prefix && known.options == options) return known.seen;
  first_row_of(capture_.info(), side, prefix, prefix,
               options.adaptive ? "window_rule=fixed" : "sensitivity=window");
  known.prefix = -1;
  known.seen = prefix_importance(capture_, prefix, options, work);
  known.prefix = prefix;
  known.options = options;
  return known.seen;
}

NdView<const float, 2> Planner::norms(const QueryNormRule& rule, std::int64_t prefix,
                                      const Work& work) {
  const CaptureInfo& info = capture_.info();
  if (norms_.prefix == prefix && norms_.rule == rule) return norms_.values.view();
  if (!info.has_queries) refuse_without_queries(info.name, rule);
  norms_.prefix = -1;
  norms_.values = NdArray<float, 2>({info.n_captured_layers(), info.shape.n_kv_heads});
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    work.throw_if_stopped();
    query_norms(squared_norms(capture_.query(layer)->view(), prefix).view(), prefix, rule,
                norms_.values.sub(layer).span());
  }
  norms_.prefix = prefix;
  norms_.rule = rule;
  return norms_.values.view();
}

NdView<const float, 3> Planner::distances(std::int64_t prefix, const Work& work) {
  const CaptureInfo& info = capture_.info();
  if (distances_.prefix == prefix) return distances_.values.view();
  const std::int64_t newest =
      first_row_of(info, CacheSide::key, prefix, 1, without_attention(CacheSide::key));
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
