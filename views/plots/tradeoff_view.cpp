#include "views/plots/tradeoff_view.h"

#include <QComboBox>
#include <QMouseEvent>
#include <algorithm>

#include "views/plots/number_format.h"
#include "views/plots/run_label.h"
#include "views/plots/view_choice.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kCount("count"), kLoss("loss");  // in viewState()

QString nameOf(const QString& loss) {
  if (loss == QLatin1String("kl_mean")) return TradeoffView::tr("mean KL");
  if (loss == QLatin1String("output_error")) return TradeoffView::tr("output error");
  if (loss == QLatin1String("attention_error")) return TradeoffView::tr("attention error");
  return TradeoffView::tr("error of K and V");
}

// Nothing is quantized or evicted: it loses nothing and has no place on a logarithmic axis.
bool isWhole(const ScopeParams& params) {
  return params.policy == "full" ||
         (params.is_qaq() && params.qaq.key.level == Level::no_quantization &&
          params.qaq.value.level == Level::no_quantization);
}

}  // namespace

TradeoffView::TradeoffView(SelectionModel* selection, QWidget* parent)
    : ChartView(selection, parent),
      m_switch(new ChoiceSwitch(tr("Compression counted"), {tr("packed"), tr("nominal")})),
      m_losses(new QComboBox) {
  addControls(choiceRow({m_losses, m_switch}));
  m_losses->setAccessibleName(tr("Loss"));
  connect(m_switch, &ChoiceSwitch::changed, this, [this](int index) {
    setAccounting(index == 0 ? Accounting::packed : Accounting::nominal);
  });
  connect(m_losses, &QComboBox::activated, this,
          [this](int index) { setLoss(m_losses->itemData(index).toString()); });
  plot()->installEventFilter(this);
}

void TradeoffView::setRuns(const Runs& runs) {
  m_runs = runs;
  gather();
}

void TradeoffView::setAccounting(Accounting accounting) {
  m_accounting = accounting;
  m_switch->setChosen(accounting == Accounting::packed ? 0 : 1);
  draw();
}

void TradeoffView::setLoss(const QString& loss) {
  m_wanted = loss;
  draw();
}

QJsonObject TradeoffView::viewState() const {
  QJsonObject state;
  keepChoice(state, kCount, m_accounting, Accounting::packed);
  if (!m_wanted.isEmpty()) state[kLoss] = m_wanted;
  return state;
}

void TradeoffView::setViewState(const QJsonObject& state) {
  setAccounting(keptChoice(state, kCount, Accounting::packed));
  setLoss(state.value(kLoss).toString());
}

void TradeoffView::show(const SharedSlice& slice) {
  const bool isOther = m_slice && m_slice->analysis->capture != slice->analysis->capture;
  m_slice = slice;
  if (isOther) m_present.reset();
  // Errors are known last; until then the setting before stays.
  if (slice->analysis->stage == Analysis::Stage::scores) {
    m_present = summary_of(*slice->analysis->replay);
  }
  m_reference.reset();
  if (const auto& against = slice->against;
      against && against->analysis->capture == slice->analysis->capture &&
      against->analysis->stage == Analysis::Stage::scores && !isWhole(against->analysis->params)) {
    m_reference = summary_of(*against->analysis->replay);
  }
  gather();
}

int TradeoffView::placeOf(const std::optional<RunSummary>& run) {
  if (!run) return -1;
  const auto same = std::ranges::find_if(
      m_all, [&](const RunSummary& other) { return same_setting(other, *run); });
  const auto index = static_cast<int>(same - m_all.begin());
  if (same == m_all.end()) {
    m_all.push_back(*run);
  } else {
    same->metrics.insert(run->metrics.begin(), run->metrics.end());  // a file may keep fewer
  }
  return index;
}

void TradeoffView::gather() {
  m_all.clear();
  if (m_runs) m_all = *m_runs;
  m_presentIndex = placeOf(m_present);
  m_referenceIndex = placeOf(m_reference);
  draw();
}

void TradeoffView::draw() {
  const std::vector<std::string> losses = losses_of(m_all);
  if (losses.empty()) {
    if (m_slice) setMessage(tr("No setting of this capture is whole yet."));
    return;
  }
  const auto wanted = std::ranges::find(losses, m_wanted.toStdString());
  m_loss = QString::fromStdString(wanted == losses.end() ? losses.front() : *wanted);
  m_losses->clear();
  for (const std::string& each : losses) {
    const QString name = QString::fromStdString(each);
    m_losses->addItem(nameOf(name), name);
  }
  m_losses->setCurrentIndex(m_losses->findData(m_loss));
  m_points = run_tradeoff(m_all, m_accounting, m_loss.toStdString());
  setChart(chart());
  placeLabels();
}

QStringList TradeoffView::kinds() const {
  QStringList out;
  for (const RunPoint& point : m_points) {
    const QString kind = kindText(m_all[point.run].params);
    if (!out.contains(kind)) out.push_back(kind);
  }
  return out;
}

Chart TradeoffView::chart() const {
  const QString counted = m_accounting == Accounting::packed ? tr("packed") : tr("nominal");
  ChartPanel panel{
      .x = {.label = tr("compression, times smaller than 16 bits (%1)").arg(counted).toStdString()},
      .y = {.label = nameOf(m_loss).toStdString()}};
  if (m_loss == QLatin1String("kl_mean")) panel.y.unit = "nat";
  const bool positive =
      std::ranges::all_of(m_points, [](const RunPoint& point) { return point.loss > 0; });
  if (positive) {
    panel.y.scale = ChartScale::log;
    panel.y.label += tr(", log").toStdString();
  }
  ChartSeries front{.name = tr("no run saves more and loses less").toStdString(),
                    .mark = ChartMark::dotted,
                    .style = kPaperStyle};
  for (const FrontCorner& corner : front_stairs(m_points)) {
    front.points.push_back({.x = corner.ratio, .y = corner.loss});
  }
  if (front.points.size() > 1) panel.series.push_back(std::move(front));
  const QStringList all = kinds();
  // The colours and signs of A and B are theirs alone.
  const int first = m_referenceIndex < 0 ? 0 : kComparedB + 1;
  for (int i = 0; i < all.size(); ++i) {
    ChartSeries series{.name = all[i].toStdString(),
                       .mark = ChartMark::points,
                       .style = first + i % (kPaperStyle - first)};
    for (const RunPoint& point : m_points) {
      if (kindText(m_all[point.run].params) != all[i]) continue;
      series.points.push_back({.x = point.ratio, .y = point.loss});
    }
    panel.series.push_back(std::move(series));
  }
  Chart out{.title = title().toStdString(), .columns = 1};
  out.subtitle = tr("%1 of this capture: %2 against compression")
                     .arg(views::counted(static_cast<std::int64_t>(m_points.size()), tr("1 run"),
                                         tr("%1 runs")),
                          nameOf(m_loss))
                     .toStdString();
  out.panels = {std::move(panel)};
  if (const std::size_t n = m_all.size() - m_points.size(); n > 0) {
    out.notes.push_back(views::counted(static_cast<std::int64_t>(n),
                                       tr("1 run without this loss is not drawn."),
                                       tr("%1 runs without this loss are not drawn."))
                            .toStdString());
  }
  return out;
}

void TradeoffView::placeLabels() {
  delete m_labels;
  m_labels = new PointLabels(plot()->panels().first(), QStringLiteral("overlay"));
  m_labels->setTheme(theme());
  QList<PointLabels::Label> labels;
  for (const RunPoint& point : m_points) {
    const auto run = static_cast<int>(point.run);
    const bool isPresent = run == m_presentIndex, isReference = run == m_referenceIndex;
    PointLabels::Label label{.at = {point.ratio, point.loss}, .text = runLabel(m_all[point.run])};
    if (m_referenceIndex < 0 || (isPresent && isReference)) {
      label.isBold = label.isCircled = isPresent;
    } else if (isPresent || isReference) {
      label.compared = isReference ? kComparedA : kComparedB;
    }
    labels.push_back(label);
  }
  m_labels->setLabels(labels);
  QList<QLineF> strokes;
  const std::vector<FrontCorner> corners = front_stairs(m_points);
  for (std::size_t i = 1; i < corners.size(); ++i) {
    strokes.push_back(
        {corners[i - 1].ratio, corners[i - 1].loss, corners[i].ratio, corners[i].loss});
  }
  m_labels->setStrokes(strokes);
  plot()->replot(QCustomPlot::rpQueuedReplot);
}

void TradeoffView::setTheme(const Theme& theme) {
  ChartView::setTheme(theme);
  if (m_labels) placeLabels();
}

bool TradeoffView::eventFilter(QObject* watched, QEvent* event) {
  if (watched == plot() && m_labels && event->type() == QEvent::MouseButtonPress) {
    const auto* mouse = static_cast<QMouseEvent*>(event);
    const int found = m_labels->nearest(mouse->position());
    if (mouse->button() == Qt::LeftButton && found >= 0) {
      emit runChosen(static_cast<int>(m_points[static_cast<std::size_t>(found)].run));
      return true;
    }
  }
  return ChartView::eventFilter(watched, event);
}

std::optional<Table> TradeoffView::table() const {
  if (m_all.empty()) return std::nullopt;
  std::vector<RunSummary> named = m_all;
  for (RunSummary& run : named) run.name = runLabel(run).toStdString();
  return run_table(named, m_accounting, m_loss.toStdString());
}

}  // namespace qaq::views
