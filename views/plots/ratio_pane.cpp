#include "views/plots/ratio_pane.h"

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "views/plots/number_format.h"
#include "views/plots/pair_pane.h"

namespace qaq::views {
namespace {

constexpr double kClickReach = 7;  // px around a triangle

}  // namespace

RatioPane::RatioPane(QWidget* parent)
    : MapPane(parent),
      m_bar(new ColorBar(this)),
      m_marks(new ViolationMarks(axisRect(), kMarksLayer)) {
  setFooter(m_bar);
  addOverlay(m_marks);
  setAxisKinds(AxisKind::token, AxisKind::step);
  setHeadings(tr("Ratio"), {});
  MapPane::setTheme(Theme::of(m_kind));
}

ColorMap RatioPane::colors() const {
  // A decade beyond the ratio that counts as a violation, as far down as up: 1 is in the middle.
  const double ratio = m_pairs->slice->analysis->violationParams.violation_ratio;
  const double most = 10 * std::pow(10.0, std::max(1.0, std::ceil(std::log10(ratio) - 1e-9)));
  return ColorMap::diverging(Palette::of(m_kind).diverging(), 1, most,
                             ColorMap::Scale::logarithmic);
}

void RatioPane::describeColors() {
  const SliceMaps& slice = *m_pairs->slice;
  const ViolationParams& params = slice.analysis->violationParams;
  m_bar->setScale(colors(), tr("score / window maximum, log"));
  const auto n = static_cast<std::int64_t>(slice.violations.size());
  const QString ratio = QString::fromStdString(number_text(params.violation_ratio));
  const QString number = counted(n, tr("1 violation"), tr("%1 violations"));
  const QString above = number + tr(", r > %1").arg(ratio);
  m_bar->setNotes(ColorBar::Mark::violation,
                  {above + tr("; below the floor neutral"), above, number});
}

void RatioPane::show(const SharedPairs& pairs) {
  m_pairs = pairs;
  const SliceMaps& slice = *pairs->slice;
  const CaptureInfo& info = slice.analysis->capture->info();
  const HeadRange heads = headsOf(slice.slice, info);
  const QString dot = QStringLiteral(" · ");
  const QString layer =
      tr("layer %1").arg(info.layers[static_cast<std::size_t>(slice.slice.layer)]);
  const QString which =
      heads.n_heads == 1 ? headsText(heads) : tr("max of %1").arg(headsText(heads));
  const QString window = tr("n = %1").arg(pairs->counts->histogram.window);
  setHeadings(tr("Ratio"), {layer + dot + which + dot + window, layer + dot + which, layer});
  setAxisLabels(tr("token position"), tr("step (query position)"));
  xTicker().setCells(static_cast<int>(info.n_tokens));
  yTicker().setCells(static_cast<int>(info.n_tokens));
  m_marks->setViolations({pairs, &slice.violations});
  describeColors();
  setMap(pairs->ratio, colors());
}

void RatioPane::setTheme(const Theme& theme) {
  m_kind = theme.kind;
  if (m_pairs && heatmap()->map()) {
    heatmap()->setMap(m_pairs->ratio, colors());
    describeColors();
  }
  MapPane::setTheme(theme);
}

std::optional<Violation> RatioPane::violationAt(const QPointF& position) const {
  return m_marks->nearest(position, kClickReach);
}

}  // namespace qaq::views
