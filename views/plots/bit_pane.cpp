#include "views/plots/bit_pane.h"

#include "views/plots/number_format.h"

namespace qaq::views {

QString sideLetter(CacheSide side) {
  return side == CacheSide::key ? QStringLiteral("K") : QStringLiteral("V");
}

BitPane::BitPane(CacheSide side, QWidget* parent)
    : MapPane(parent), m_side(side), m_legend(new BitsLegend(this)) {
  setFooter(m_legend);
  m_bracket = new ForcedBracket(axisRect(), kMarksLayer);
  addOverlay(m_bracket);
  setTopMargin(20);
  setReducer(Reducer::min);  // the worst allocation matters
  setHeadings(tr("Bits, %1").arg(sideLetter(side)), {});
  MapPane::setTheme(Theme::of(m_kind));
}

QStringList BitPane::subtitles(const Analysis& analysis) const {
  const CaptureInfo& info = analysis.capture->info();
  const auto captured = info.n_captured_layers();
  const QString layers =
      captured == info.shape.n_layers
          ? counted(captured, tr("1 layer"), tr("%1 layers"))
          : tr("%1 of %2 layers captured").arg(captured).arg(info.shape.n_layers);
  const QString tokens = counted(analysis.replay->prefix, tr("1 token"), tr("%1 tokens"));
  const QString heads = counted(info.shape.n_kv_heads, tr("1 KV head"), tr("%1 KV heads"));
  const QString cells = tr("%1 × %2").arg(tokens, layers);
  return {cells + QStringLiteral(" × ") + heads, cells, tokens};
}

ColorMap BitPane::colors() const { return ColorMap::bits(Palette::of(m_kind), m_exactFrom); }

void BitPane::show(const Analysis& analysis) {
  const CaptureInfo& info = analysis.capture->info();
  const ReplayResult& replay = *analysis.replay;
  m_exactFrom = analysis.exactFrom(m_side);
  m_nominal = analysis.cache(m_side).average_n_bits;
  m_shown = std::make_shared<const Analysis::Side>(analysis.side(m_side));
  setHeadings(tr("Bits, %1").arg(sideLetter(m_side)), subtitles(analysis));
  const auto n_kv_heads = static_cast<int>(info.shape.n_kv_heads);
  setAxisKinds(AxisKind::token, AxisKind::layer);
  setAxisLabels(tr("token position"),
                n_kv_heads == 1 ? tr("layer") : tr("layer (%1 KV heads each)").arg(n_kv_heads));
  xTicker().setCells(static_cast<int>(info.n_tokens));
  yTicker().setCells(static_cast<int>(info.shape.n_layers) * n_kv_heads, n_kv_heads);
  yTicker().setCellLabel([n_kv_heads](int row) {
    return QStringLiteral("%1.%2").arg(row / n_kv_heads).arg(row % n_kv_heads);
  });
  m_bracket->setTokens(analysis.forcedNewest(m_side), replay.prefix, info.n_tokens);
  m_legend->set(m_shown->histogram, colors(), m_nominal);
  m_legend->setAbsent(info.n_captured_layers() < info.shape.n_layers);
  setMap(m_shown->bits, colors());
}

void BitPane::setTheme(const Theme& theme) {
  m_kind = theme.kind;
  if (m_shown) {
    heatmap()->setMap(m_shown->bits, colors());
    m_legend->set(m_shown->histogram, colors(), m_nominal);
  }
  MapPane::setTheme(theme);
}

}  // namespace qaq::views
