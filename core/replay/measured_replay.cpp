#include "core/replay/measured_replay.h"

#include <algorithm>
#include <limits>

#include "core/replay/capture_rows.h"

namespace qaq {
namespace {

// Sums over all layers.
struct Totals {
  double key = 0, value = 0;  ///< squared errors
  double attention = 0;       ///< of the prefix' columns
  double output = 0;
};

void make_maps(const CaptureInfo& info, const PlannedCache& cache, CacheReplay& out) {
  const CacheShape& shape = cache.plan.layout.shape();
  out.outliers = NdArray<std::uint8_t, 4>(
      {shape.n_layers, shape.n_kv_heads, info.n_tokens, (shape.head_dim + 7) / 8});
  out.error = NdArray<float, 3>({shape.n_layers, shape.n_kv_heads, info.n_tokens});
}

// An evicted row has no error: there is nothing that it could be told of.
void mark_evicted(const Plan& plan, std::int64_t layer, CacheReplay& out) {
  if (!plan.kept) return;
  const CacheShape& shape = plan.layout.shape();
  for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
    for (std::int64_t token = 0; token < shape.n_tokens; ++token) {
      if (plan.is_kept(layer, head, token)) continue;
      out.error(layer, head, token) = std::numeric_limits<float>::quiet_NaN();
      const auto marks = out.outliers.sub(layer, head, token).span();
      std::fill(marks.begin(), marks.end(), std::uint8_t{0});
    }
  }
}

void take_cache(const Plan& plan, std::int64_t layer, const NdView<const double, 2>& errors,
                const NdView<const std::uint8_t, 3>& outliers, double& total, CacheReplay& out) {
  if (errors.empty()) return mark_evicted(plan, layer, out);
  const std::int64_t head_dim = plan.layout.shape().head_dim;
  for (std::int64_t head = 0; head < errors.shape(0); ++head) {
    for (std::int64_t token = 0; token < errors.shape(1); ++token) {
      if (!plan.is_kept(layer, head, token)) continue;
      total += errors(head, token);
      out.error(layer, head, token) =
          static_cast<float>(errors(head, token) / static_cast<double>(head_dim));
    }
    const auto marks = outliers.sub(head).span();
    std::copy(marks.begin(), marks.end(), out.outliers.sub(layer, head).data());
  }
  mark_evicted(plan, layer, out);
}

void take_rows(const CaptureInfo& info, const ReplayScope& scope, std::int64_t layer,
               const PlanErrors& errors, Totals& totals, ReplayResult& result) {
  // Sums are in the order in which rows are read.
  const std::int64_t step = rows_at_a_time(info);
  for (std::int64_t first = 0; first < scope.n_rows; first += step) {
    const std::int64_t end = std::min(scope.n_rows, first + step);
    for (std::int64_t head = 0; head < info.shape.n_heads; ++head) {
      for (std::int64_t i = first; i < end; ++i) {
        totals.attention += errors.prefix_attention(head, i);
        totals.output += errors.output(head, i);
        const std::int64_t row = scope.first_row + i;
        result.attention_error(layer, head, row) = static_cast<float>(errors.attention(head, i));
        result.output_error(layer, head, row) = static_cast<float>(errors.output(head, i));
      }
    }
  }
}

}  // namespace

ReplayScope whole_scope(const CaptureInfo& info, std::int64_t prefix) {
  ReplayScope scope;
  scope.prefix = prefix;
  if (!info.has_queries || info.profile == AttentionProfile::none) return scope;
  scope.first_row = first_replayed_row(info, prefix);
  scope.n_rows = info.n_query_rows() - scope.first_row;
  return scope;
}

void measure_replay(const CaptureInfo& info, const ReplayScope& scope, const PlannedCaches& plans,
                    ReplayKernel& kernel, const Work& work, ReplayResult& result) {
  const std::int64_t n_layers = info.n_captured_layers();
  const bool rows = scope.n_rows > 0;
  make_maps(info, plans.key, result.key);
  make_maps(info, plans.value, result.value);
  if (rows) {
    const Shape<3> shape{n_layers, info.shape.n_heads, info.n_query_rows()};
    result.attention_error = NdArray<float, 3>(shape, std::numeric_limits<float>::quiet_NaN());
    result.output_error = NdArray<float, 3>(shape, std::numeric_limits<float>::quiet_NaN());
  }
  Totals totals;
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    if (rows) work.report({"attention", layer, n_layers, "layers"});
    kernel.measure(
        layer, {&plans, 1}, true,
        [&](std::int64_t, const PlanErrors& errors) {
          take_cache(plans.key.plan, layer, errors.key, errors.key_outliers, totals.key,
                     result.key);
          take_cache(plans.value.plan, layer, errors.value, errors.value_outliers, totals.value,
                     result.value);
          if (rows) take_rows(info, scope, layer, errors, totals, result);
        },
        work);
  }
  result.key.quantization_error = totals.key / static_cast<double>(result.key.n_kept);
  result.value.quantization_error = totals.value / static_cast<double>(result.value.n_kept);
  if (!rows) return;
  work.report({"attention", n_layers, n_layers, "layers"});
  const auto n_replayed = static_cast<double>(n_layers * info.shape.n_heads * scope.n_rows);
  result.mean_attention_error = totals.attention / (n_replayed * static_cast<double>(scope.prefix));
  result.mean_output_error = totals.output / n_replayed;
}

}  // namespace qaq
