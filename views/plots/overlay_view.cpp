#include "views/plots/overlay_view.h"

#include <QHBoxLayout>

#include "views/plots/compare_view.h"
#include "views/plots/run_label.h"
#include "views/plots/view_choice.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kLines("lines");  // in viewState()

}  // namespace

OverlayView::OverlayView(SelectionModel* selection, QWidget* parent)
    : ChartView(selection, parent),
      m_switch(
          new ChoiceSwitch(tr("Which errors"), {tr("output"), tr("attention"), tr("K"), tr("V")})),
      m_made(
          [this](const auto& chart) {
            if (m_slice) setChart(*chart);
          },
          [this](const QString& line) { setMessage(line); }) {
  auto* controls = new QWidget;
  auto* row = new QHBoxLayout(controls);
  row->setContentsMargins(12, 4, 12, 0);
  row->addStretch(1);
  row->addWidget(m_switch);
  addControls(controls);
  connect(m_switch, &ChoiceSwitch::changed, this,
          [this](int index) { setLines(static_cast<ComparedLines>(index)); });
}

void OverlayView::setLines(ComparedLines lines) {
  m_lines = lines;
  m_switch->setChosen(static_cast<int>(lines));
  if (m_slice) draw();
}

QJsonObject OverlayView::viewState() const {
  QJsonObject state;
  keepChoice(state, kLines, m_lines, ComparedLines::output);
  return state;
}

void OverlayView::setViewState(const QJsonObject& state) {
  setLines(keptChoice(state, kLines, ComparedLines::output));
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
    setMessage(tr("Errors are not compared: %1.")
                   .arg(QString::fromStdString(slice->against->alignment.refusal)));
    return;
  }
  // What is known so far of one of the two is no comparison.
  if (!slice->against->comparison) return;
  const bool isNew = !m_slice || m_slice->against->comparison != slice->against->comparison;
  m_slice = slice;
  if (isNew) draw();
}

void OverlayView::draw() {
  const Against& against = *m_slice->against;
  const QString label = runLabel(summary_of(*m_slice->analysis->replay));
  m_made.request([a = comparedRun(against.analysis, against.label),
                  b = comparedRun(m_slice->analysis, label), alignment = against.alignment,
                  lines = m_lines](const Work&) {
    return std::make_shared<const Chart>(comparison_chart(a, b, alignment, lines));
  });
}

std::optional<Table> OverlayView::table() const {
  if (!m_slice || plot()->chart().panels.empty()) return std::nullopt;
  return comparison_chart_table(plot()->chart());
}

}  // namespace qaq::views
