#include "views/plots/distribution_view.h"

#include <QMouseEvent>
#include <algorithm>

#include "views/plots/number_format.h"
#include "views/plots/view_choice.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kScope("scope");  // in viewState()
constexpr double kMostRatio = 0.999;      // what outliers_ratio takes

std::size_t at(CacheSide side) { return static_cast<std::size_t>(side); }

DistributionFacts factsOf(const Analysis& analysis, CacheSide side,
                          const DistributionPlace& place) {
  const QaqSideParams* params = analysis.quantizer(side);
  if (!params) return {.isExact = analysis.params.policy == "full", .hasCut = false};
  DistributionFacts out{.ratio = params->outliers_ratio,
                        .isExact = params->level == Level::no_quantization,
                        .hasCut = params->outlier_rule == OutlierRule::quantile};
  if (analysis.stage >= Analysis::Stage::errors) {
    out.kept = share_kept(analysis.cache(side), place);
  }
  return out;
}

}  // namespace

DistributionView::DistributionView(SelectionModel* selection, QWidget* parent)
    : ChartView(selection, parent),
      m_switch(new ChoiceSwitch(tr("Numbers of"), {tr("head"), tr("layer"), tr("capture")})),
      m_made([this](const auto& made) { take(made); },
             [this](const QString& line) { setMessage(line); }) {
  addControls(choiceRow({m_switch}));
  connect(m_switch, &ChoiceSwitch::changed, this,
          [this](int index) { setScope(static_cast<DistributionScope>(index)); });
  plot()->setMouseTracking(true);
  plot()->installEventFilter(this);
}

void DistributionView::setScope(DistributionScope scope) {
  m_scope = scope;
  m_switch->setChosen(static_cast<int>(scope));
  if (m_slice) show(m_slice);
}

QJsonObject DistributionView::viewState() const {
  QJsonObject state;
  keepChoice(state, kScope, m_scope, DistributionScope::head);
  return state;
}

void DistributionView::setViewState(const QJsonObject& state) {
  setScope(keptChoice(state, kScope, DistributionScope::head));
}

void DistributionView::show(const SharedSlice& slice) {
  m_slice = slice;
  const Slice& at = slice->slice;
  DistributionPlace place{.scope = m_scope, .prefix = slice->analysis->replay->prefix};
  if (m_scope != DistributionScope::capture) place.layer = at.layer;
  if (m_scope == DistributionScope::head) place.kv_head = at.kvHead;
  // A slider changes the cut and what is kept, but not the numbers.
  const bool same = m_shown && m_shown->distributions->place == place &&
                    m_shown->slice->analysis->capture == slice->analysis->capture;
  m_made.request([slice, place, known = same ? m_shown->distributions : nullptr](const Work& work) {
    auto made = std::make_shared<Made>();
    made->slice = slice;
    const Analysis& analysis = *slice->analysis;
    made->distributions =
        known
            ? known
            : std::make_shared<const Distributions>(distributions(*analysis.capture, place, work));
    made->key = factsOf(analysis, CacheSide::key, place);
    made->value = factsOf(analysis, CacheSide::value, place);
    return made;
  });
}

void DistributionView::take(const std::shared_ptr<const Made>& made) {
  m_shown = made;
  draw();
}

void DistributionView::setTheme(const Theme& theme) {
  ChartView::setTheme(theme);
  if (m_shown) placeHandles();
}

DistributionFacts DistributionView::facts(CacheSide side) const {
  DistributionFacts out = side == CacheSide::key ? m_shown->key : m_shown->value;
  if (m_drag && m_drag->side == side) {
    out.ratio = m_drag->ratio;
    out.kept.reset();  // of another ratio
  }
  return out;
}

QString DistributionView::placeText() const {
  const Distributions& all = *m_shown->distributions;
  const CaptureInfo& info = m_shown->slice->analysis->capture->info();
  const QString tokens =
      counted(all.place.prefix, tr("the first token"), tr("the first %1 tokens"));
  if (all.place.scope == DistributionScope::capture) {
    return tr("all captured layers and KV heads · %1").arg(tokens);
  }
  const int layer = info.layers[static_cast<std::size_t>(all.place.layer)];
  if (all.place.scope == DistributionScope::layer) {
    return tr("layer %1, all KV heads · %2").arg(layer).arg(tokens);
  }
  return tr("layer %1 · KV head %2 · %3").arg(layer).arg(all.place.kv_head).arg(tokens);
}

void DistributionView::draw() {
  const Distributions& all = *m_shown->distributions;
  Chart chart = distributionChart(all, m_shown->slice->slice.side, placeText());
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    chart.panels[at(side)].title +=
        ": " + distributionText(all.of(side), facts(side)).toStdString();
  }
  if (facts(CacheSide::key).hasCut) {
    chart.notes = {tr("Handles: where outliers_ratio cuts these numbers, half at each end; each "
                      "unit is cut at its own ranks.")
                       .toStdString()};
  }
  setChart(chart);
  placeHandles();
}

void DistributionView::placeHandles() {
  for (const auto& old : m_handles) delete old;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    auto& handles = m_handles[at(side)];
    const DistributionFacts here = facts(side);
    if (here.isExact || !here.hasCut) continue;
    handles = new CutHandles(plot()->panels()[static_cast<int>(side)], QStringLiteral("overlay"));
    handles->setTheme(theme());
    const OutlierCut cut = m_shown->distributions->of(side).cut(here.ratio);
    handles->setCut(cut.low, cut.high);
  }
  // A pointer that drags needs the new axes' places at once.
  plot()->replot(m_drag ? QCustomPlot::rpImmediateRefresh : QCustomPlot::rpQueuedReplot);
}

const CutHandles* DistributionView::handles(CacheSide side) const { return m_handles[at(side)]; }

bool DistributionView::eventFilter(QObject* watched, QEvent* event) {
  if (watched != plot() || !m_shown) return ChartView::eventFilter(watched, event);
  const auto* mouse = dynamic_cast<QMouseEvent*>(event);
  if (!mouse) return ChartView::eventFilter(watched, event);
  switch (event->type()) {
    case QEvent::MouseButtonPress:
      if (mouse->button() == Qt::LeftButton && press(mouse->position())) return true;
      break;
    case QEvent::MouseMove: {
      if (m_drag) {
        dragTo(mouse->position());
        return true;
      }
      const bool over = std::ranges::any_of(m_handles, [&](const auto& handles) {
        return handles && handles->at(mouse->position());
      });
      plot()->setCursor(over ? Qt::SplitHCursor : Qt::ArrowCursor);
      plot()->setToolTip(over ? tr("Drag to choose outliers_ratio") : QString());
      break;
    }
    case QEvent::MouseButtonRelease:
      if (m_drag) {
        drop();
        return true;
      }
      break;
    default:
      break;
  }
  return ChartView::eventFilter(watched, event);
}

bool DistributionView::press(const QPointF& position) {
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const CutHandles* handles = m_handles[at(side)];
    const auto found = handles ? handles->at(position) : std::nullopt;
    if (!found) continue;
    m_drag = Drag{side, *found == handles->low(), facts(side).ratio};
    return true;
  }
  return false;
}

void DistributionView::dragTo(const QPointF& position) {
  QCPAxis* axis = plot()->panels()[static_cast<int>(m_drag->side)]->axis(QCPAxis::atBottom);
  const ValueDistribution& numbers = m_shown->distributions->of(m_drag->side);
  // Each handle stays on its side of the median.
  const double median = numbers.ranks.at((numbers.ranks.n() + 1) / 2);
  double x = axis->pixelToCoord(position.x());
  x = m_drag->isLow ? std::min(x, median) : std::max(x, median);
  m_drag->ratio = std::min(numbers.ratio_at(x), kMostRatio);
  const OutlierCut cut = numbers.cut(m_drag->ratio);
  m_handles[at(m_drag->side)]->setCut(cut.low, cut.high);
  plot()->replot(QCustomPlot::rpQueuedReplot);
  emit outliersRatioChosen(m_drag->side, m_drag->ratio, false);
}

void DistributionView::drop() {
  const Drag drag = *m_drag;
  m_drag.reset();
  emit outliersRatioChosen(drag.side, drag.ratio, true);
}

std::optional<Table> DistributionView::table() const {
  if (!m_shown) return std::nullopt;
  return distribution_table(*m_shown->distributions);
}

QString DistributionView::summary() const {
  if (!error().isEmpty() || !m_shown) return error();
  const Distributions& all = *m_shown->distributions;
  return tr("%1. Keys: %2. Values: %3.")
      .arg(placeText(), distributionText(all.key, facts(CacheSide::key)),
           distributionText(all.value, facts(CacheSide::value)));
}

}  // namespace qaq::views
