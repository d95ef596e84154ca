#include "views/plots/outlier_pane.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/heatmap_tile.h"
#include "views/plots/bit_pane.h"
#include "views/plots/number_format.h"
#include "views/plots/run_label.h"

namespace qaq::views {
namespace {

/// From the decade about a thousandth of the largest value to that value.
ColorMap magnitudeColors(const Heatmap& map) {
  float largest = largest_value(map).value_or(0);
  if (largest <= 0) largest = 1;
  const double low = std::pow(10.0, std::round(std::log10(largest) - 3));
  return ColorMap::logarithmic(Palette::of(ThemeKind::light).viridis(), low, largest);
}

}  // namespace

OutlierPane::OutlierPane(QWidget* parent) : MapPane(parent), m_bar(new ColorBar(this)) {
  setFooter(m_bar);
  m_marks = new OutlierMarks(axisRect(), kMarksLayer);
  addOverlay(m_marks);
  setHeadings(tr("Outliers"), {});
  setTheme(Theme::of(ThemeKind::light));
}

void OutlierPane::show(const SliceMaps& slice) {
  const Analysis& analysis = *slice.analysis;
  const CaptureInfo& info = analysis.capture->info();
  const Slice& where = slice.slice;
  const QString letter = sideLetter(where.side);
  const QString cell = tr("%1 · layer %2 · KV head %3")
                           .arg(letter)
                           .arg(info.layers[static_cast<std::size_t>(where.layer)])
                           .arg(where.kvHead);
  setHeadings(tr("Outliers"), {cell + tr(" · |value|"), cell});
  setAxisKinds(AxisKind::token, AxisKind::channel);
  setAxisLabels(tr("token position"), tr("channel"));
  xTicker().setCells(static_cast<int>(info.n_tokens));
  yTicker().setCells(static_cast<int>(info.shape.head_dim));

  const ColorMap colors = magnitudeColors(*slice.magnitude);
  m_marks->setCells(slice.outliers);
  m_bar->setScale(colors, tr("|%1|, log").arg(letter.toLower()));
  m_bar->setEvicted(evicted_share(*slice.magnitude));
  const auto values = static_cast<double>(analysis.replay->prefix * info.shape.head_dim);
  const QString share = shareText(static_cast<double>(slice.outliers.size()) / values);
  QStringList notes{tr("kept exact: %1").arg(share)};
  if (const QaqSideParams* params = analysis.quantizer(where.side)) {
    notes.push_front(tr("kept exact: %1 (%2)").arg(share, outliersAsked(*params)));
  }
  m_bar->setNotes(ColorBar::Mark::outlier, notes);
  setMap(slice.magnitude, colors);
}

}  // namespace qaq::views
