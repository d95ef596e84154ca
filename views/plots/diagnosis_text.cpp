#include "views/plots/diagnosis_text.h"

#include <QCoreApplication>
#include <algorithm>

#include "core/base/parameters.h"
#include "core/replay/captured_layers.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("qaq::views::Diagnosis", text); }

QString whereText(const Diagnosis& diagnosis) {
  std::vector<std::int32_t> layers = diagnosis.layers;
  std::ranges::sort(layers);
  const QString side = !diagnosis.side                     ? tr("keys and values")
                       : *diagnosis.side == CacheSide::key ? tr("keys")
                                                           : tr("values");
  const auto n = std::ssize(diagnosis.cells);
  QString out = tr("Leaving %1 of %2 cells exact repairs it: %3 of %4")
                    .arg(n)
                    .arg(diagnosis.n_cells)
                    .arg(side, (layers.size() == 1 ? tr("layer %1") : tr("layers %1"))
                                   .arg(QString::fromStdString(layer_list(layers))));
  if (n > 1) out += tr(", most of all %1").arg(cellText(diagnosis.cells.front().cell));
  return out + QLatin1Char('.');
}

}  // namespace

QString tokenText(const DiagnosisResult& result, std::int32_t id) {
  return quoted(result.subject.token_text(id));
}

QString readText(const DiagnosisResult& result, const DiagnosedStep& step) {
  return QStringLiteral("%1 %2").arg(tokenText(result, step.token)).arg(step.position);
}

QString changeText(const DiagnosisResult& result, const DiagnosedStep& step) {
  return tr("expected %1 (margin %2), got %3")
      .arg(tokenText(result, step.score.expected), numberText(step.score.score.margin),
           tokenText(result, step.score.got));
}

QString explainedText(const DiagnosisResult& result) {
  const Diagnosis& diagnosis = result.diagnosis;
  const auto first =
      std::ranges::find(diagnosis.steps, StepVerdict::diverged, &DiagnosedStep::verdict);
  const bool isFirst = first - diagnosis.steps.begin() == diagnosis.step;
  return (isFirst ? tr("First divergence: step %1") : tr("Explained: step %1")).arg(diagnosis.step);
}

QString verdictText(const DiagnosisResult& result, int step) {
  const auto& steps = result.diagnosis.steps;
  switch (steps[static_cast<std::size_t>(step)].verdict) {
    case StepVerdict::diverged: {
      const auto first = std::ranges::find(steps, StepVerdict::diverged, &DiagnosedStep::verdict);
      return first - steps.begin() == step ? tr("▲ first divergence") : tr("▲ diverged");
    }
    case StepVerdict::coin_flip:
      return tr("○ coin-flip");
    case StepVerdict::downstream:
      return tr("same, own text parted");
    case StepVerdict::same:
      break;
  }
  return tr("same");
}

QString cellText(const CellAddress& cell) {
  return QStringLiteral("%1 · L%2 · KVH%3 · tok %4")
      .arg(cell.side == CacheSide::key ? QLatin1Char('K') : QLatin1Char('V'))
      .arg(cell.layer)
      .arg(cell.kv_head)
      .arg(cell.token);
}

QString settingText(const DiagnosisResult& result) {
  const std::string changed = command_line_text(result.request.params);
  return changed.empty() ? tr("all defaults")
                         : QString::fromStdString(changed).remove(QStringLiteral("--set "));
}

QString summaryText(const DiagnosisResult& result) {
  const Diagnosis& diagnosis = result.diagnosis;
  const DiagnosedStep& step = diagnosis.explained();
  const QString kl = numberText(step.score.score.kl);
  const QString at =
      tr("%1, after %2: ").arg(explainedText(result), readText(result, step)) +
      (step.score.score.same_top
           ? tr("%1 as expected, KL %2 nat.").arg(tokenText(result, step.score.got), kl)
           : tr("%1, KL %2 nat.").arg(changeText(result, step), kl));
  switch (diagnosis.outcome) {
    case DiagnosisOutcome::nothing_broke:
      return tr("Nothing broke.") + QLatin1Char(' ') + at;
    case DiagnosisOutcome::not_quantization:
      return tr("Not quantization: with the whole cache's own numbers put back, KL is %1 nat.")
                 .arg(numberText(diagnosis.exact_kl)) +
             QLatin1Char(' ') + at;
    case DiagnosisOutcome::unexplained:
      return at + QLatin1Char(' ') + whereText(diagnosis) + QLatin1Char(' ') +
             tr("No cause was confirmed.");
    case DiagnosisOutcome::explained:
      break;
  }
  return at + QLatin1Char(' ') + whereText(diagnosis);
}

}  // namespace qaq::views
