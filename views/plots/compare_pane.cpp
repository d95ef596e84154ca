#include "views/plots/compare_pane.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/chart.h"
#include "views/plots/attention_pane.h"
#include "views/plots/bit_pane.h"
#include "views/plots/number_format.h"
#include "views/plots/run_label.h"

namespace qaq::views {
namespace {

const QString kDot = QStringLiteral(" · ");

// "no difference: the prompts differ: ..."
QString refusalText(const Alignment& alignment) {
  return ComparePane::tr("No difference is drawn: %1.")
      .arg(QString::fromStdString(alignment.refusal));
}

}  // namespace

ComparePane::ComparePane(Role role, QWidget* parent)
    : MapPane(parent), m_role(role), m_bits(new BitsLegend(this)), m_bar(new ColorBar(this)) {
  m_bits->setVisible(false);
  setFooter(m_bar);
  m_bracket = new ForcedBracket(axisRect(), kMarksLayer);
  addOverlay(m_bracket);
  setTopMargin(20);
  if (role != Role::difference) {
    header()->setLetter(role == Role::a ? QStringLiteral("A") : QStringLiteral("B"),
                        role == Role::a ? kComparedA : kComparedB);
  } else {
    setReducer(Reducer::mean);  // the only one that leaves both signs alone
  }
  setHeadings(role == Role::difference ? tr("B − A") : QString(), {});
  MapPane::setTheme(Theme::of(m_kind));
}

const SharedAnalysis& ComparePane::analysis() const {
  const SharedSlice& shown = m_maps->slice;
  return m_role == Role::a ? shown->against->analysis : shown->analysis;
}

QString ComparePane::quantity() const {
  switch (m_maps->of) {
    case CompareOf::bits:
      return tr("%1 bits").arg(sideLetter(m_maps->slice->slice.side));
    case CompareOf::magnitude:
      return tr("|%1|").arg(sideLetter(m_maps->slice->slice.side));
    case CompareOf::attention:
      break;
  }
  return tr("Attention");
}

QStringList ComparePane::subtitles() const {
  const SharedSlice& shown = m_maps->slice;
  const CaptureInfo& info = shown->analysis->capture->info();
  const Slice& slice = shown->slice;
  QString place;
  if (m_maps->of != CompareOf::bits) {
    place = tr("layer %1").arg(info.layers[static_cast<std::size_t>(slice.layer)]) + kDot;
    place += m_maps->of == CompareOf::attention && slice.queryHead != Slice::kGroup
                 ? tr("query head %1").arg(slice.queryHead)
                 : tr("KV head %1").arg(slice.kvHead);
  }
  if (m_role == Role::difference) {
    const QString centred = tr("centred on 0");
    return place.isEmpty() ? QStringList{centred}
                           : QStringList{place + kDot + centred, place, centred};
  }
  const QString label =
      m_role == Role::a ? shown->against->label : runLabel(summary_of(*shown->analysis->replay));
  if (place.isEmpty()) return {label};
  return {label + kDot + place, place};
}

ColorMap ComparePane::colors() const {
  const Palette& palette = Palette::of(m_kind);
  if (m_role == Role::difference) {
    const double reach = m_maps->counts.largest > 0 ? m_maps->counts.largest : 1;
    return ColorMap::diverging(palette.diverging(), 0, reach);
  }
  if (m_maps->of == CompareOf::bits) {
    // A width of 16 may be chosen by the bound; only an unquantized cache is exact.
    const QaqParams& params = analysis()->params.qaq;
    const Level level =
        m_maps->slice->slice.side == CacheSide::key ? params.key.level : params.value.level;
    const bool exact = level == Level::no_quantization;
    return ColorMap::bits(palette,
                          exact ? analysis()->replay->dtype_bits : Palette::kWidestBits + 1);
  }
  const auto tokensOf = [](const SharedAnalysis& of) { return of->capture->info().n_tokens; };
  if (m_maps->of == CompareOf::attention) {
    return probabilityColors(
        std::max(tokensOf(m_maps->slice->analysis), tokensOf(m_maps->slice->against->analysis)));
  }
  const double largest = m_maps->largest > 0 ? m_maps->largest : 1;
  return ColorMap::logarithmic(palette.values(valueColors()),
                               std::pow(10.0, std::round(std::log10(largest) - 3)), largest);
}

void ComparePane::showLegend() {
  const CacheSide side = m_maps->slice->slice.side;
  const bool isBits = m_maps->of == CompareOf::bits;
  if (m_role != Role::difference && isBits) {
    const CaptureInfo& info = analysis()->capture->info();
    m_bits->set(analysis()->side(side).histogram, colors(), analysis()->cache(side).average_n_bits);
    m_bits->setAbsent(info.n_captured_layers() < info.shape.n_layers);
    setFooter(m_bits);
    return;
  }
  setFooter(m_bar);
  if (m_role != Role::difference) {
    m_bar->setScale(colors(), isBits || m_maps->of == CompareOf::magnitude
                                  ? tr("|%1|, log").arg(sideLetter(side).toLower())
                                  : tr("probability, log"));
    m_bar->setNotes(ColorBar::Mark::none, {tr("same range in A and B")});
    return;
  }
  if (!m_maps->difference) {
    m_bar->setScale({}, {});
    return;
  }
  m_bar->setScale(colors(), isBits ? tr("bits, B − A") : tr("B − A"));
  const DifferenceCounts& counts = m_maps->counts;
  const auto share = [&](std::int64_t n) {
    return shareText(static_cast<double>(n) /
                     static_cast<double>(std::max<std::int64_t>(counts.total(), 1)));
  };
  const QString ways = tr("▲ %1 higher  ▼ %2 lower").arg(share(counts.higher), share(counts.lower));
  m_bar->setNotes(ColorBar::Mark::none,
                  {ways, tr("▲ %1  ▼ %2").arg(share(counts.higher), share(counts.lower))});
}

void ComparePane::showAxes() {
  const CaptureInfo& a = m_maps->slice->against->analysis->capture->info();
  const CaptureInfo& b = m_maps->slice->analysis->capture->info();
  const CaptureInfo& info = m_role == Role::a ? a : b;
  const auto n_tokens = static_cast<int>(
      m_role == Role::difference ? std::max(a.n_tokens, b.n_tokens) : info.n_tokens);
  const auto n_kv_heads = static_cast<int>(info.shape.n_kv_heads);
  xTicker().setCells(n_tokens);
  m_bracket->setTokens(0, 0, 0);
  switch (m_maps->of) {
    case CompareOf::bits:
      setAxisKinds(AxisKind::token, AxisKind::layer);
      setAxisLabels(tr("token position"),
                    n_kv_heads == 1 ? tr("layer") : tr("layer (%1 KV heads each)").arg(n_kv_heads));
      yTicker().setCells(static_cast<int>(info.shape.n_layers) * n_kv_heads, n_kv_heads);
      yTicker().setCellLabel([n_kv_heads](int row) {
        return QStringLiteral("%1.%2").arg(row / n_kv_heads).arg(row % n_kv_heads);
      });
      if (m_role != Role::difference) {
        m_bracket->setTokens(analysis()->forcedNewest(m_maps->slice->slice.side),
                             analysis()->replay->prefix, info.n_tokens);
      }
      break;
    case CompareOf::magnitude:
      setAxisKinds(AxisKind::token, AxisKind::channel);
      setAxisLabels(tr("token position"), tr("channel"));
      yTicker().setCells(static_cast<int>(info.shape.head_dim));
      yTicker().setCellLabel({});
      break;
    case CompareOf::attention:
      setAxisKinds(AxisKind::token, AxisKind::step);
      setAxisLabels(tr("key token position"), tr("step (query position)"));
      yTicker().setCells(n_tokens);
      yTicker().setCellLabel({});
      break;
  }
}

QString ComparePane::whyEmpty() const {
  const Against& against = *m_maps->slice->against;
  if (m_role == Role::difference && !against.alignment.allowed()) {
    return refusalText(against.alignment);
  }
  if (m_role != Role::b && !against.slice && m_maps->of != CompareOf::bits) {
    return tr("A holds no such layer or head.");
  }
  return tr("One of the two captures holds no attention.");
}

void ComparePane::show(const SharedComparedMaps& maps) {
  // The worst allocation matters; of values the outlier.
  if (m_role != Role::difference && (!m_maps || m_maps->of != maps->of)) {
    setReducer(maps->of == CompareOf::bits ? Reducer::min : Reducer::max);
  }
  m_maps = maps;
  const QString title = m_role == Role::difference ? tr("B − A, %1").arg(quantity()) : quantity();
  setHeadings(title, subtitles());
  showAxes();
  showLegend();
  const SharedHeatmap& map = m_role == Role::a   ? maps->a
                             : m_role == Role::b ? maps->b
                                                 : maps->difference;
  if (map) {
    setMap(map, colors());
  } else {
    setMessage(whyEmpty());
  }
}

void ComparePane::setTheme(const Theme& theme) {
  m_kind = theme.kind;
  if (m_maps && heatmap()->map()) {
    heatmap()->setMap(heatmap()->map(), colors());
    showLegend();
  }
  MapPane::setTheme(theme);
}

}  // namespace qaq::views
