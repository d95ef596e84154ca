// Causes in how values lie: outliers and ranges.
#include "core/analysis/cause.h"
#include "core/analysis/diagnosis_limits.h"
#include "core/analysis/row_table.h"
#include "core/base/text.h"
#include "core/quant/unit_grid.h"

namespace qaq {
namespace {

// Keeps one more value of a unit at each end, if any are left between them.
void keep_more(const SettingSide& of, QaqSideParams& params) {
  if (!of.quantizes()) return;
  const std::int64_t n = of.plan.layout.unit_size();
  const double ratio =
      of.plan.outlier_share.value_or(of.params.outliers_ratio) + 2 / static_cast<double>(n);
  if (k_low(ratio, n) >= k_high(ratio, n)) return;
  params.outlier_rule = OutlierRule::quantile;
  params.outliers_ratio = ratio;
}

// The share of a row's squared error that values beyond the last codes make.
double clipped_share(const SettingSide& of, std::size_t unit, std::span<const float> exact,
                     std::span<const float> quantized) {
  const UniformGrid grid = unit_grid(of.plan.quantizer, of.stats[unit], of.plan.n_bits[unit]);
  if (grid.lowest == grid.highest) return 0;  // one code: there is no range to leave
  const double low = decode(grid, grid.lowest) - grid.scale / 2,
               high = decode(grid, grid.highest) + grid.scale / 2;
  double clipped = 0, all = 0;
  for (std::size_t d = 0; d < exact.size(); ++d) {
    const double error = double{quantized[d]} - double{exact[d]};
    all += error * error;
    if (exact[d] < low || exact[d] > high) clipped += error * error;
  }
  return all > 0 ? clipped / all : 0;
}

}  // namespace

Suspicion find_missed_outlier(const CauseContext& context) {
  Suspicion out;
  out.change = [&setting = context.setting](SettingChange& change) {
    keep_more(setting.side(CacheSide::key), change.params.key);
    keep_more(setting.side(CacheSide::value), change.params.value);
  };
  SettingChange change{.params = context.params, .keeps_bits = true};
  out.change(change);
  const SettingCache other =
      context.quantizer.requantize(change, context.setting, context.work, context.fault);
  std::vector<double> shares;
  out.cells = suspects_where(
      context, {}, [&](const SettingSide& of, const CellAddress& cell, std::size_t unit) {
        const float before = of.stats[unit].range(of.plan.quantizer.symmetric);
        const float after = other.side(cell.side).stats[unit].range(of.plan.quantizer.symmetric);
        if (!(after <= kRangeShare * before)) return false;
        shares.push_back(after / before);
        return true;
      });
  out.evidence = cat(out.cells.size(), " of ", context.suspects.size(),
                     " suspect cells have a range that one value at an end makes twice as wide");
  if (out.cells.empty()) return out;
  out.evidence += cat(" or more (median ", short_text(1 / median_of(shares)), " times)");
  return out;
}

Suspicion find_clipped_range(const CauseContext& context) {
  Suspicion out;
  std::vector<double> shares;
  out.cells = suspects_where(
      context, {}, [&](const SettingSide& of, const CellAddress& cell, std::size_t unit) {
        const QuantizerSpec& spec = of.plan.quantizer;
        if (spec.method != Method::uniform || spec.range_rule != RangeRule::mean_centred) {
          return false;
        }
        const auto exact = exact_layer(context.capture, cell.side, cell.layer);
        const auto row = exact->sub(cell.kv_head, cell.token).span();
        const double share = clipped_share(of, unit, row, context.setting.row(cell));
        if (share <= kClippedShare) return false;
        shares.push_back(share);
        return true;
      });
  out.evidence = cat(out.cells.size(), " of ", context.suspects.size(),
                     " suspect cells have most of their error in values beyond the last code");
  if (out.cells.empty()) return out;
  out.evidence += cat(" (median ", short_text(100 * median_of(shares)), " % of it)");
  out.change = [](SettingChange& change) {
    for (QaqSideParams* side : {&change.params.key, &change.params.value}) {
      if (side->method == Method::uniform) side->range_rule = RangeChoice::midpoint;
    }
  };
  return out;
}

}  // namespace qaq
