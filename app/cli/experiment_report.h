#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/analysis/experiment.h"

namespace qaq::cli {

/// What an experiment was run on.
struct ExperimentSubject {
  std::string model;
  std::string items;                  ///< name of the task or the text
  DType dtype = DType::f32;           ///< of the cache that was quantized
  std::vector<std::string> too_long;  ///< questions that exceed the model's context: left out
};

/// The document of NAME.json, and of --json.
nlohmann::ordered_json experiment_json(const Experiment& experiment,
                                       const ExperimentSubject& subject,
                                       const ExperimentResult& result);
/// The page NAME.md, with the picture `figure` (a file's name) in it where there is one.
std::string experiment_page(const Experiment& experiment, const ExperimentSubject& subject,
                            const ExperimentResult& result, const std::string& figure);

/// What was written of an experiment.
struct WrittenExperiment {
  std::vector<std::string> paths;  ///< the page last
  std::string page;
};
/// Draws the document NAME.json as NAME.png; false: there is no picture.
using DrawFigure = std::function<bool(const std::string& document, const std::string& picture)>;

/// Writes `folder`/NAME.csv, NAME-TABLE.csv, NAME.json, what `draw` makes of that, and NAME.md,
/// each through another name. The folder is made. Throws Error{work} where that fails.
WrittenExperiment write_experiment(const std::string& folder, const Experiment& experiment,
                                   const ExperimentSubject& subject, const ExperimentResult& result,
                                   const DrawFigure& draw);

}  // namespace qaq::cli
