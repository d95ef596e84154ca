#include "views/plots/error_pane.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/heatmap_tile.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

/// From the decade about a thousandth of the largest error to the decade that it does not exceed.
ColorMap errorColors(const Heatmap& map) {
  const double largest = largest_value(map).value_or(0);
  const double decade = largest > 0 ? std::ceil(std::log10(largest) - 1e-9) : 0;
  return ColorMap::logarithmic(Palette::of(ThemeKind::light).viridis(), std::pow(10.0, decade - 4),
                               std::pow(10.0, decade));
}

bool isOfCache(ErrorOf which) { return which == ErrorOf::key || which == ErrorOf::value; }

}  // namespace

QString errorTitle(ErrorOf which) {
  switch (which) {
    case ErrorOf::key:
      return ErrorPane::tr("K error");
    case ErrorOf::value:
      return ErrorPane::tr("V error");
    case ErrorOf::attention:
      return ErrorPane::tr("Attention error");
    case ErrorOf::output:
      return ErrorPane::tr("Output error");
  }
  return {};
}

ErrorPane::ErrorPane(QWidget* parent) : MapPane(parent), m_bar(new ColorBar(this)) {
  setFooter(m_bar);
  setAxisKinds(AxisKind::layer, AxisKind::none);
  setHeadings(tr("Error"), {});
  setTheme(Theme::of(ThemeKind::light));
}

void ErrorPane::show(const SharedErrors& errors, ErrorOf which) {
  const CaptureInfo& info = errors->analysis->capture->info();
  const auto nLayers = static_cast<int>(info.shape.n_layers);
  const auto nKvHeads = static_cast<int>(info.shape.n_kv_heads);
  const auto group = static_cast<int>(info.shape.group_size());
  const QString local = tr("this layer only quantized");
  QStringList subtitles{local};
  if (!isOfCache(which) && group > 1) {
    subtitles.push_front(local + tr(" · max of %1 query heads").arg(group));
  }
  setHeadings(errorTitle(which), subtitles);
  setAxisLabels(nKvHeads == 1 ? tr("layer") : tr("layer (%1 KV heads each)").arg(nKvHeads),
                isOfCache(which) ? tr("token position") : tr("step (query position)"));
  xTicker().setCells(nLayers * nKvHeads, nKvHeads);
  xTicker().setCellLabel([nKvHeads](int column) {
    return QStringLiteral("%1.%2").arg(column / nKvHeads).arg(column % nKvHeads);
  });
  yTicker().setCells(static_cast<int>(info.n_tokens));
  const SharedHeatmap& map = errors->map(which);
  const ColorMap colors = errorColors(*map);
  m_bar->setScale(colors,
                  which == ErrorOf::attention ? tr("sum of squares, log") : tr("mean square, log"));
  m_bar->setEvicted(evicted_share(*map));
  setMap(map, colors);
}

}  // namespace qaq::views
