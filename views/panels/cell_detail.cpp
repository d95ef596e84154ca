#include "views/panels/cell_detail.h"

#include <cmath>

#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

QString bitsText(const CellExplanation& cell) {
  const BitChoice& choice = cell.bits.choice;
  if (!cell.params.use_attentions) {
    return CellDetail::tr("%1, as n_bits_uniform says").arg(choice.n_bits);
  }
  if (cell.params.bits_rule == BitsRule::measured) {
    return CellDetail::tr("%1 measured, %2 given").arg(choice.wanted).arg(choice.n_bits);
  }
  if (!std::isfinite(cell.bits.before_rounding)) {
    return CellDetail::tr("none needed, %1 given").arg(choice.n_bits);
  }
  return CellDetail::tr("⌈%1⌉ = %2, %3 given")
      .arg(numberText(cell.bits.before_rounding))
      .arg(choice.wanted)
      .arg(choice.n_bits);
}

QString clampText(const CellExplanation& cell) {
  if (!cell.params.use_attentions) return {};
  const BitChoice& choice = cell.bits.choice;
  if (choice.forced) {
    return CellDetail::tr("forced: among the newest %1").arg(cell.prefix - cell.first_forced);
  }
  const QString limits =
      QStringLiteral("%1–%2").arg(cell.params.n_bits_min).arg(cell.params.n_bits_max);
  if (choice.clamp == BitChoice::Clamp::none) {
    return CellDetail::tr("not active (%1)").arg(limits);
  }
  return CellDetail::tr("%1 acts (%2)").arg(QLatin1String(name_of(choice.clamp)), limits);
}

}  // namespace

QStringList CellDetail::names() {
  return {tr("Value range"),
          tr("Mean, mid-range"),
          tr("S in window, max"),
          tr("S afterwards, max"),
          tr("σ bound"),
          tr("Bits"),
          tr("Clamp"),
          tr("Error achieved")};
}

CellDetail CellDetail::of(const CellSummary& summary, double ratio) {
  const CellExplanation& cell = summary.explanation;
  CellDetail out;
  QString range, centre, window, later, sigma, error;
  if (summary.window_max) {
    window = cell.params.last_n_attentions == 1
                 ? tr("%1 (last row)").arg(numberText(double{*summary.window_max}))
                 : tr("%1 (last %2 rows)")
                       .arg(numberText(double{*summary.window_max}))
                       .arg(cell.params.last_n_attentions);
  }
  if (summary.later_max) {
    later = tr("%1 at step %2").arg(numberText(double{*summary.later_max})).arg(summary.later_step);
    if (summary.window_max && *summary.window_max > 0) {
      const double jump = double{*summary.later_max} / double{*summary.window_max};
      out.jumped = jump > ratio;
      later += tr(", %1 ×").arg(numberText(jump));
    }
  }
  if (!cell.why_exact.empty()) {
    out.texts = {range,     centre, window,
                 later,     sigma,  cell.evicted ? tr("evicted") : tr("left exact"),
                 QString(), error};
    return out;
  }
  if (cell.stats.n_inliers > 0) {
    range = tr("%1 to %2 (width %3)")
                .arg(numberText(double{cell.stats.min}), numberText(double{cell.stats.max}),
                     numberText(double{cell.stats.range(cell.params.symmetric)}));
    centre = QStringLiteral("%1, %2").arg(numberText(double{cell.stats.mean}),
                                          numberText(*summary.mid_range));
  }
  if (summary.sigma_bound) {
    sigma = std::isfinite(*summary.sigma_bound) ? numberText(*summary.sigma_bound)
                                                : tr("any error is allowed");
  }
  error = tr("%1 RMS").arg(numberText(cell.rms_error));
  if (summary.clip_share) error += tr(", %1 clipped").arg(shareText(*summary.clip_share));
  out.texts = {range, centre, window, later, sigma, bitsText(cell), clampText(cell), error};
  return out;
}

}  // namespace qaq::views
