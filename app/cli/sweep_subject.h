#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "app/cli/evaluation_items.h"
#include "core/base/progress.h"
#include "core/evaluate/multiple_choice.h"
#include "core/policy/qaq_params.h"
#include "core/replay/sweep.h"
#include "core/tensor/dtype.h"
#include "data/results/result_record.h"

namespace qaq::cli {

/// What a sweep runs its settings on. To add one: a class in a file sweep_NAME.cpp, and a function
/// here that gives its source.
class SweepSubject {
 public:
  virtual ~SweepSubject() = default;
  /// Tells a run of this setting from every other, whatever files are called.
  virtual std::string hash_of(const QaqParams& params) const = 0;
  /// One record a setting, in order: the same in whatever company.
  virtual std::vector<ResultRecord> run(std::span<const QaqParams> settings, const Work& work) = 0;
};

/// A subject that is opened when its turn comes.
struct SubjectSource {
  std::string name;  ///< as the user names it
  std::function<std::unique_ptr<SweepSubject>(const Work&)> open;
  std::size_t n_at_a_time = 1;  ///< settings that run() takes at most
  /// Batches for each of several ranks at least, where there are runs enough, so that they end
  /// together.
  std::size_t n_batches_of_a_rank = 1;
};

/// Errors are measured where `open` opens the capture.
SubjectSource capture_subject(const std::string& path, const SweepOptions& options,
                              const OpenReplay& open);

/// A task on a model.
struct TaskSubject {
  std::string model, task;
  double prune_weights = 0;
  QuestionChoice questions;
  ChoiceOptions choice;
  DType dtype = DType::f32;  ///< of the cache that is quantized
  std::string log;  ///< file that keeps the finished questions of a call of run(); empty: none
};
/// Answers all questions under each setting, the model in the loop; the whole cache's pass is made
/// once for all settings of a call. A call that was cut off goes on behind the log's last question.
/// Errors as task_items(), ItemLog.
SubjectSource task_subject(const TaskSubject& subject);

}  // namespace qaq::cli
