#pragma once

#include <string>
#include <vector>

#include "core/analysis/diagnosis.h"
#include "core/analysis/diagnosis_report.h"
#include "core/analysis/experiment.h"

namespace qaq {

/// One of the report's figures: a chart whose series name its tables' columns.
struct DiagnosisFigure {
  std::string name;   ///< "what", "where", "heads"
  std::string title;  ///< one line
  std::vector<ExperimentTable> tables;
  Chart chart;
};

/// KL by step; KL of the step with the parts left exact that the search came to; by layer and head
/// the change of KL where it was made (see replay_heads()), else first-order scores. The latter two
/// only where a place was looked for.
std::vector<DiagnosisFigure> diagnosis_figures(const Diagnosis& diagnosis,
                                               const DiagnosisSubject& subject);

}  // namespace qaq
