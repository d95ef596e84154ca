#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "app/cli/console.h"
#include "core/analysis/experiment.h"
#include "core/base/progress.h"

namespace qaq::cli {

/// A chart and the tables whose columns it names, as qaq-scope draws them.
struct FigureDocument {
  std::string name, title;  ///< "risk", and one line
  std::string model, items;
  std::string counts;  ///< "steps": what n counts
  std::int64_t n = 0;
  const std::vector<ExperimentTable>& tables;
  const Chart& chart;
};
nlohmann::ordered_json figure_json(const FigureDocument& figure);

/// Writes a document to `path`, has `picture` made of it as draw_experiment() does and, where that
/// worked, removes the document. Throws Error{work}, Error{interrupted}.
bool draw_figure(const FigureDocument& figure, const std::string& path, const std::string& picture,
                 ConsoleProgress& progress, const Work& work);

/// Has the qaq-scope in this program's folder draw an experiment's document as a picture. Where
/// there is none or it fails, notes why, and the command that draws it later, and returns false.
/// Throws Error{interrupted}.
bool draw_experiment(const std::string& document, const std::string& picture,
                     ConsoleProgress& progress, const Work& work);

}  // namespace qaq::cli
