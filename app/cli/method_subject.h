#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/experiment_report.h"
#include "core/analysis/experiment.h"
#include "core/base/progress.h"
#include "core/policy/compared_methods.h"
#include "core/replay/sweep.h"
#include "core/tensor/dtype.h"

namespace qaq::cli {

/// What `qaq compare-methods` is asked.
struct MethodQuestion {
  std::vector<ComparedMethod> methods;
  std::vector<double> budgets;  ///< packed ratios
};

/// What it found, and on what.
struct MethodAnswer {
  ExperimentSubject subject;
  RunMode mode = RunMode::batch;
  ExperimentResult result;
};

/// On a capture alone. Without a prefix all but the compared rows are quantized, so that errors are
/// of rows that no policy saw.
MethodAnswer methods_on_capture(const MethodQuestion& question, const std::string& path,
                                SweepOptions compared, const Work& work);

/// A task's questions, and how much of them.
struct MethodTask {
  std::string model, task;
  std::int64_t limit = 60;
  std::optional<std::uint32_t> seed;
  double minutes = 8;        ///< of answering
  DType dtype = DType::f16;  ///< of the cache that is quantized
};
/// The model in the loop: budgets are met on the questions' own caches, then all are answered under
/// every setting.
MethodAnswer methods_on_task(const MethodQuestion& question, const MethodTask& task,
                             const Work& work);

}  // namespace qaq::cli
