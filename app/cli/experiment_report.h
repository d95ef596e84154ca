#pragma once

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
/// The page NAME.md.
std::string experiment_page(const Experiment& experiment, const ExperimentSubject& subject,
                            const ExperimentResult& result);

/// Writes `folder`/NAME.csv, NAME-TABLE.csv, NAME.json and NAME.md, each through another name, and
/// gives their paths, the page last. The folder is made. Throws Error{work} where that fails.
std::vector<std::string> write_experiment(const std::string& folder, const Experiment& experiment,
                                          const ExperimentSubject& subject,
                                          const ExperimentResult& result);

}  // namespace qaq::cli
