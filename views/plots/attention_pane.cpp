#include "views/plots/attention_pane.h"

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "views/plots/number_format.h"
#include "views/plots/policy_text.h"

namespace qaq::views {
namespace {

constexpr double kClickReach = 7;  // px around a triangle

QString headsText(const Slice& slice, const CaptureInfo& info) {
  if (slice.queryHead != Slice::kGroup) {
    return AttentionPane::tr("query head %1").arg(slice.queryHead);
  }
  const auto group = static_cast<int>(info.shape.group_size());
  if (group == 1) return AttentionPane::tr("query head %1").arg(slice.kvHead);
  return AttentionPane::tr("max of query heads %1–%2")
      .arg(slice.kvHead * group)
      .arg(slice.kvHead * group + group - 1);
}

}  // namespace

ColorMap probabilityColors(std::int64_t n_tokens) {
  const double decade = std::floor(std::log10(0.01 / static_cast<double>(n_tokens)) + 1e-9);
  return ColorMap::logarithmic(Palette::of(ThemeKind::light).viridis(), std::pow(10.0, decade), 1);
}

AttentionPane::AttentionPane(QWidget* parent) : MapPane(parent), m_bar(new ColorBar(this)) {
  setFooter(m_bar);
  m_window = new WindowBox(axisRect(), kMarksLayer);
  m_marks = new ViolationMarks(axisRect(), kMarksLayer);
  m_callout = new Callout(axisRect(), kLabelsLayer, heatmap());
  addOverlay(m_window);
  addOverlay(m_marks);
  addOverlay(m_callout);
  addOverlay(new WindowLabel(axisRect(), kLabelsLayer, m_window));
  setHeadings(tr("Attention"), {});
  setTheme(Theme::of(ThemeKind::light));
}

void AttentionPane::show(const SharedSlice& shown) {
  const SliceMaps& slice = *shown;
  const Analysis& analysis = *slice.analysis;
  const CaptureInfo& info = analysis.capture->info();
  const QString layer =
      tr("layer %1").arg(info.layers[static_cast<std::size_t>(slice.slice.layer)]);
  const QString head = tr("KV head %1").arg(slice.slice.kvHead);
  const QString heads = headsText(slice.slice, info);
  const QString dot = QStringLiteral(" · ");
  setHeadings(tr("Attention"),
              {layer + dot + head + dot + heads, layer + dot + heads, layer + dot + head});
  setAxisKinds(AxisKind::token, AxisKind::step);
  setAxisLabels(tr("key token position"), tr("step (query position)"));
  const auto n_tokens = static_cast<int>(info.n_tokens);
  xTicker().setCells(n_tokens);
  yTicker().setCells(n_tokens);
  m_marks->setViolations({shown, &slice.violations});
  const QaqSideParams* value = analysis.quantizer(CacheSide::value);
  const bool hasWindow = slice.attention && value && value->use_attentions;
  m_window->setRows(hasWindow ? value->last_n_attentions : 0, analysis.replay->prefix - 1);
  if (!slice.attention) {
    m_bar->setScale({}, {});
    setMessage(
        tr("This capture holds no attention. Capture again with --attention full or derive."));
    return;
  }
  const ColorMap colors = probabilityColors(info.n_tokens);
  m_bar->setScale(colors, tr("probability, log"));
  if (!value) {
    m_bar->setNotes(ColorBar::Mark::none,
                    {tr("%1 goes by no window of it").arg(policyName(analysis.params))});
    setMap(slice.attention, colors);
    return;
  }
  const auto n = static_cast<std::int64_t>(slice.violations.size());
  const std::string ratio = number_text(analysis.params.violation.violation_ratio);
  const QString number = counted(n, tr("1 violation"), tr("%1 violations"));
  const QString above = tr(", r > %1").arg(QString::fromStdString(ratio));
  const QString few = n > ViolationMarks::kMost ? tr(", strongest drawn") : QString();
  m_bar->setNotes(ColorBar::Mark::violation, {number + above + few, number + few, number});
  setMap(slice.attention, colors);
}

void AttentionPane::setCallout(const QString& text, std::int64_t step, std::int64_t token) {
  m_callout->set(text, step, token);
  replot(rpQueuedReplot);
}

std::optional<Violation> AttentionPane::violationAt(const QPointF& position) const {
  return m_marks->nearest(position, kClickReach);
}

}  // namespace qaq::views
