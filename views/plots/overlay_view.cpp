#include "views/plots/overlay_view.h"

#include "core/analysis/comparison_chart.h"
#include "core/analysis/comparison_histogram.h"
#include "views/plots/compare_view.h"
#include "views/plots/run_label.h"
#include "views/plots/view_choice.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kOf("lines");  // in viewState()

// In the order of ComparedLines.
ComparedLines linesOf(OverlayOf of) { return static_cast<ComparedLines>(of); }

CountedRun countedRun(const SharedAnalysis& of, const QString& name) {
  return {name.toStdString(), of->capture, replay_options(of->params, of->replay->prefix)};
}

}  // namespace

OverlayView::OverlayView(SelectionModel* selection, QWidget* parent)
    : ChartView(selection, parent),
      m_switch(new ChoiceSwitch(tr("Errors, or numbers"),
                                {tr("output"), tr("attention"), tr("K"), tr("V"), tr("numbers")})),
      m_made(
          [this](const auto& chart) {
            if (!m_slice) return;
            setChart(*chart);
            label();
          },
          [this](const QString& line) { setMessage(line); }) {
  addControls(choiceRow({m_switch}));
  connect(m_switch, &ChoiceSwitch::changed, this,
          [this](int index) { setOf(static_cast<OverlayOf>(index)); });
}

void OverlayView::setOf(OverlayOf of) {
  m_of = of;
  m_switch->setChosen(static_cast<int>(of));
  if (m_slice) draw();
}

QJsonObject OverlayView::viewState() const {
  QJsonObject state;
  keepChoice(state, kOf, m_of, OverlayOf::output);
  return state;
}

void OverlayView::setViewState(const QJsonObject& state) {
  setOf(keptChoice(state, kOf, OverlayOf::output));
}

void OverlayView::setTheme(const Theme& theme) {
  ChartView::setTheme(theme);
  if (m_slice) label();
}

void OverlayView::label() {
  delete m_labels;
  if (plot()->panels().isEmpty()) return;
  m_labels = new LineLabels(plot()->panels().first(), QStringLiteral("overlay"));
  m_labels->setTheme(theme());
  m_labels->setPanel(plot()->chart().panels.front(), {QStringLiteral("A"), QStringLiteral("B")});
  plot()->replot(QCustomPlot::rpQueuedReplot);
}

void OverlayView::setMessage(const QString& text) {
  m_slice = nullptr;
  ChartView::setMessage(text);
}

void OverlayView::show(const SharedSlice& slice) {
  if (!slice->against) {
    setMessage(needsReference());
    return;
  }
  if (!slice->against->alignment.allowed()) {
    setMessage(tr("A and B are not compared: %1.")
                   .arg(QString::fromStdString(slice->against->alignment.refusal)));
    return;
  }
  // What is known so far of one of the two is no comparison.
  if (!slice->against->comparison) return;
  const bool isNew = hasChanged(slice);
  m_slice = slice;
  if (isNew) draw();
}

bool OverlayView::hasChanged(const SharedSlice& slice) const {
  if (!m_slice || m_slice->against->comparison != slice->against->comparison) return true;
  if (m_of != OverlayOf::numbers) return false;
  const Slice &was = m_slice->slice, &is = slice->slice;
  return was.side != is.side || was.layer != is.layer || was.kvHead != is.kvHead;
}

void OverlayView::draw() {
  const Against& against = *m_slice->against;
  const QString label = runLabel(summary_of(*m_slice->analysis->replay));
  if (m_of == OverlayOf::numbers) {
    const Slice& slice = m_slice->slice;
    const CaptureInfo& info = m_slice->analysis->capture->info();
    const CountedHead head{slice.side, info.layers[static_cast<std::size_t>(slice.layer)],
                           slice.kvHead};
    m_made.request([a = countedRun(against.analysis, against.label),
                    b = countedRun(m_slice->analysis, label), alignment = against.alignment,
                    head](const Work& work) {
      return std::make_shared<const Chart>(comparison_histogram(a, b, alignment, head, work));
    });
    return;
  }
  m_made.request([a = comparedRun(against.analysis, against.label),
                  b = comparedRun(m_slice->analysis, label), alignment = against.alignment,
                  lines = linesOf(m_of)](const Work&) {
    return std::make_shared<const Chart>(comparison_chart(a, b, alignment, lines));
  });
}

std::optional<Table> OverlayView::table() const {
  if (!m_slice || plot()->chart().panels.empty()) return std::nullopt;
  const Chart& chart = plot()->chart();
  // The switch may be ahead of the chart.
  return chart.panels.front().x.whole ? comparison_chart_table(chart)
                                      : comparison_histogram_table(chart);
}

}  // namespace qaq::views
