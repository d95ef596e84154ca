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
  switch (role) {
    case Role::a:
      header()->setLetter(QStringLiteral("A"), kComparedA);
      break;
    case Role::b:
      header()->setLetter(QStringLiteral("B"), kComparedB);
      break;
    case Role::difference:
      setReducer(Reducer::farthest);
      break;
    case Role::swipe:
      addSwipe();
      break;
  }
  setHeadings(role == Role::difference ? tr("B − A") : QString(), {});
  MapPane::setTheme(Theme::of(m_kind));
}

void ComparePane::addSwipe() {
  m_left = new HeatmapPlottable(xAxis, yAxis);
  m_divider = new SwipeDivider(axisRect(), kLabelsLayer);
  addOverlay(m_divider);
  m_handle = new SwipeHandle(this);
  m_handle->hide();
  connect(m_handle, &SwipeHandle::valueChanged, this, &ComparePane::showSwipe);
  // The plot's place on the screen, not that of a figure.
  connect(this, &QCustomPlot::afterReplot, this, [this] { m_handle->setPlot(axisRect()->rect()); });
  connect(this, &MapPane::reducerChanged, m_left, &HeatmapPlottable::setReducer);
  connect(this, &MapPane::valueColorsChanged, this, [this] {
    if (m_left->map()) m_left->setColors(colors(Role::a));
  });
}

void ComparePane::showSwipe() {
  m_left->setPart(0, m_handle->share());
  heatmap()->setPart(m_handle->share(), 1);
  m_divider->setShare(m_handle->share());
  replot(rpQueuedReplot);
}

bool ComparePane::isSettled() const {
  return MapPane::isSettled() && (!m_left || m_left->isSettled());
}

const SharedAnalysis& ComparePane::analysis(Role role) const {
  const SharedSlice& shown = m_maps->slice;
  return role == Role::a ? shown->against->analysis : shown->analysis;
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
  const QString &a = shown->against->label, b = runLabel(summary_of(*shown->analysis->replay));
  const QString label = m_role == Role::a ? a : m_role == Role::b ? b : tr("A %1 · B %2").arg(a, b);
  if (place.isEmpty()) return {label};
  return {label + kDot + place, place};
}

ColorMap ComparePane::colors(Role role) const {
  const Palette& palette = Palette::of(m_kind);
  if (role == Role::difference) {
    const double reach = m_maps->counts.largest > 0 ? m_maps->counts.largest : 1;
    return ColorMap::diverging(palette.diverging(), 0, reach);
  }
  if (m_maps->of == CompareOf::bits) {
    return ColorMap::bits(palette, analysis(role)->exactFrom(m_maps->slice->slice.side));
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

double ComparePane::evictedShare() const {
  const SharedHeatmap& map = m_role == Role::a            ? m_maps->a
                             : m_role == Role::difference ? m_maps->difference
                                                          : m_maps->b;
  return map ? evicted_share(*map) : 0;
}

void ComparePane::showLegend() {
  const CacheSide side = m_maps->slice->slice.side;
  const bool isBits = m_maps->of == CompareOf::bits;
  if (m_role != Role::difference && isBits) {
    const CaptureInfo& info = analysis(m_role)->capture->info();
    const SharedAnalysis &a = analysis(Role::a), &b = analysis(Role::b);
    if (m_role == Role::swipe) {
      const ColorMap ofA = colors(Role::a), ofB = colors(Role::b);
      m_bits->set(a->side(side).histogram + b->side(side).histogram,
                  ofA.exactFrom() < ofB.exactFrom() ? ofA : ofB, std::nullopt);
    } else {
      const SharedAnalysis& own = analysis(m_role);
      m_bits->set(own->side(side).histogram, colors(m_role), own->cache(side).average_n_bits);
    }
    m_bits->setAbsent(info.n_captured_layers() < info.shape.n_layers);
    setFooter(m_bits);
    return;
  }
  setFooter(m_bar);
  m_bar->setEvicted(evictedShare());
  if (m_role != Role::difference) {
    m_bar->setScale(colors(m_role), isBits || m_maps->of == CompareOf::magnitude
                                        ? tr("|%1|, log").arg(sideLetter(side).toLower())
                                        : tr("probability, log"));
    m_bar->setNotes(ColorBar::Mark::none, {tr("same range in A and B")});
    return;
  }
  if (!m_maps->difference) {
    m_bar->setScale({}, {});
    return;
  }
  m_bar->setScale(colors(m_role), isBits ? tr("bits, B − A") : tr("B − A"));
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
      if (m_role == Role::a || m_role == Role::b) {
        m_bracket->setTokens(analysis(m_role)->forcedNewest(m_maps->slice->slice.side),
                             analysis(m_role)->replay->prefix, info.n_tokens);
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
  const QString title = m_role == Role::difference ? tr("B − A, %1").arg(quantity())
                        : m_role == Role::swipe    ? tr("A | B, %1").arg(quantity())
                                                   : quantity();
  setHeadings(title, subtitles());
  showAxes();
  showLegend();
  const bool isBoth = m_role == Role::swipe && maps->a;
  const SharedHeatmap map = m_role == Role::a             ? maps->a
                            : m_role == Role::b || isBoth ? maps->b
                            : m_role == Role::difference  ? maps->difference
                                                          : nullptr;
  if (map) {
    if (m_left) m_left->setMap(maps->a, colors(Role::a));
    setMap(map, colors(m_role));
    if (!m_left) return;
    m_divider->setShown(true);
    m_handle->show();
    showSwipe();
  } else {
    setMessage(whyEmpty());
  }
}

void ComparePane::setMessage(const QString& text) {
  if (m_left) {
    m_left->setMap(nullptr, {});
    m_divider->setShown(false);
    m_handle->hide();
  }
  MapPane::setMessage(text);
}

void ComparePane::setTheme(const Theme& theme) {
  m_kind = theme.kind;
  if (m_left) {
    m_left->setTheme(theme);
    m_handle->setTheme(theme);
    if (m_left->map()) m_left->setColors(colors(Role::a));
  }
  if (m_maps && heatmap()->map()) {
    heatmap()->setMap(heatmap()->map(), colors(m_role));
    showLegend();
  }
  MapPane::setTheme(theme);
}

}  // namespace qaq::views
