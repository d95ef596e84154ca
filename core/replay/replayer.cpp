#include "core/replay/replayer.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/importance.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/nominal_size.h"
#include "core/replay/attention_replay.h"
#include "core/replay/capture_rows.h"
#include "core/tensor/product_check.h"

namespace qaq {
namespace {

constexpr int kPaperBits = 16;  // what the paper's ratios are measured against

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

// Where the captured rows prefix - n .. prefix - 1 begin.
std::int64_t first_window_row(const CaptureInfo& info, std::int64_t prefix, std::int64_t n) {
  const std::int64_t first = first_row_behind(info, prefix - n);
  if (info.profile == AttentionProfile::none || first_row_behind(info, prefix) - first < n) {
    refuse_input({.file = info.name,
                  .place = "/entry/attention",
                  .what = cat("lacks the attention rows ", prefix - n, " to ", prefix - 1,
                              " that the values' bits follow from"),
                  .cure = "capture again with --attention derive, or --set "
                          "value.use_attentions=false"});
  }
  return first;
}

void set_ratios(const PlannedCache& key, const PlannedCache& value, ReplayResult& result) {
  const CacheShape& shape = key.plan.layout.shape();
  const NominalSize k = nominal_size(key.plan, kPaperBits),
                    v = nominal_size(value.plan, kPaperBits);
  const auto values_per_token =
      static_cast<double>(shape.n_layers * shape.n_kv_heads * shape.head_dim);
  result.ratio_paper = 2 * kPaperBits / (k.average_n_bits + v.average_n_bits);
  result.ratio_nominal =
      2 * kPaperBits * values_per_token / (k.size_per_token_bits + v.size_per_token_bits);
  const std::int64_t n_values = result.key.n_values + result.value.n_values;
  const std::int64_t n_bytes = result.key.packed.total() + result.value.packed.total();
  result.ratio_packed = 2 * static_cast<double>(n_values) / static_cast<double>(n_bytes);
}

}  // namespace

Replayer::Replayer(const CaptureView& capture) : capture_(capture) { require_right_products(); }

SharedReplay Replayer::bits(const ReplayOptions& options, const Work& work) {
  return run(options, false, work);
}

SharedReplay Replayer::full(const ReplayOptions& options, const Work& work) {
  return run(options, true, work);
}

PlannedCaches Replayer::plans(const ReplayOptions& options, const Work& work) {
  const QaqPolicy policy(options.params);
  const std::int64_t prefix = checked_prefix(capture_.info(), options.prefix);
  return {plan(policy, CacheSide::key, prefix, work), plan(policy, CacheSide::value, prefix, work)};
}

SharedReplay Replayer::run(const ReplayOptions& options, bool with_attention, const Work& work) {
  const QaqPolicy policy(options.params);
  const std::int64_t prefix = checked_prefix(capture_.info(), options.prefix);
  const PlannedCache key = plan(policy, CacheSide::key, prefix, work);
  const PlannedCache value = plan(policy, CacheSide::value, prefix, work);

  const auto result = std::make_shared<ReplayResult>();
  result->policy = policy.name();
  result->parameters = list_parameters(options.params);
  result->prefix = prefix;
  result->dtype_bits = options.params.dtype_bits;
  result->key = replay_cache(capture_, key, options.params.dtype_bits, work);
  result->value = replay_cache(capture_, value, options.params.dtype_bits, work);
  set_ratios(key, value, *result);
  result->in_sample = first_row_behind(capture_.info(), prefix) == capture_.info().n_query_rows();
  if (with_attention) replay_attention(capture_, key, value, work, *result);
  return result;
}

PlannedCache Replayer::plan(const CachePolicy& policy, CacheSide side, std::int64_t prefix,
                            const Work& work) {
  const CaptureInfo& info = capture_.info();
  const PolicyNeeds needs = policy.needs(side);
  PolicyView view;
  view.side = side;
  view.layout = UnitLayout(needs.quantizer.level, {info.n_captured_layers(), info.shape.n_kv_heads,
                                                   prefix, info.shape.head_dim});
  if (needs.quantizer.level != Level::no_quantization) {
    view.stats = stats(side, view.layout, needs.quantizer.outliers_ratio, work);
  }
  if (needs.attention_rows > 0) view.importance = importance(needs, prefix, work);
  return {side, policy.plan(view), view.stats};
}

std::span<const UnitStats> Replayer::stats(CacheSide side, const UnitLayout& layout,
                                           double outliers_ratio, const Work& work) {
  const CacheShape& shape = layout.shape();
  KnownStats& known = stats_[side == CacheSide::key ? 0 : 1];
  if (known.prefix == shape.n_tokens && known.level == layout.level() &&
      known.outliers_ratio == outliers_ratio) {
    return known.stats;
  }
  known.prefix = -1;
  known.stats.assign(static_cast<std::size_t>(layout.n_units()), UnitStats());
  // At level token a unit spans all layers, so all are held at once; else one at a time.
  std::vector<SharedArray<float, 3>> held;
  std::vector<CacheLayer> views;
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    work.report({name_of(side), layer, shape.n_layers, "layers"});
    work.throw_if_stopped();
    held.push_back(exact_layer(capture_, side, layer));
    views.push_back(held.back()->view());
    if (layout.level() == Level::token && layer + 1 < shape.n_layers) continue;
    const std::int64_t first = layer + 1 - static_cast<std::int64_t>(views.size());
    fill_unit_stats(layout, outliers_ratio, first, views, known.stats);
    held.clear();
    views.clear();
  }
  known.prefix = shape.n_tokens;
  known.level = layout.level();
  known.outliers_ratio = outliers_ratio;
  return known.stats;
}

NdView<const float, 3> Replayer::importance(const PolicyNeeds& needs, std::int64_t prefix,
                                            const Work& work) {
  const CaptureInfo& info = capture_.info();
  const std::int64_t n_rows = std::min(needs.attention_rows, prefix);
  KnownImportance& known = importance_;
  if (known.prefix == prefix && known.n_rows == n_rows && known.reduce == needs.gqa_reduce) {
    return known.values.view();
  }
  known.prefix = -1;
  const std::int64_t first = first_window_row(info, prefix, n_rows);
  known.values = NdArray<float, 3>({info.n_captured_layers(), info.shape.n_kv_heads, prefix});
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    work.throw_if_stopped();
    const SharedArray<float, 3> scores = capture_.attention(layer, first, n_rows);
    window_importance(scores->view(), needs.gqa_reduce, known.values.sub(layer));
  }
  known.prefix = prefix;
  known.n_rows = n_rows;
  known.reduce = needs.gqa_reduce;
  return known.values.view();
}

}  // namespace qaq
