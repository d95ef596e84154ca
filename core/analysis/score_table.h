#pragma once

#include <string>
#include <vector>

#include "core/analysis/paper_results.h"
#include "core/analysis/setting_runs.h"
#include "core/analysis/table.h"
#include "core/evaluate/summary.h"

namespace qaq {

/// The settings of some runs with what each scored, for the accuracy experiments.
class ScoreTable {
 public:
  explicit ScoreTable(SettingRuns runs);

  std::size_t size() const { return summaries_.size(); }
  const std::string& name(std::size_t i) const { return runs_.settings[i].name; }
  const SettingSummary& summary(std::size_t i) const { return summaries_[i]; }
  const Accuracy& accuracy(std::size_t i) const { return *summaries_[i].accuracy; }
  double kl(std::size_t i) const { return summaries_[i].divergences.kl_mean; }
  /// With the whole cache.
  const Accuracy& whole() const { return whole_; }
  /// Exact McNemar test of two settings, or of one against the whole cache.
  double p(std::size_t first, std::optional<std::size_t> second) const;
  /// The setting of this name, which there is.
  std::size_t index(const std::string& name) const;

  /// One row a setting behind one of the whole cache: accuracy with its 95 % interval (Wilson),
  /// KL, sizes. `more` are columns behind these, `cells` one list a setting for them.
  Table table(std::vector<Column> more = {},
              const std::vector<std::vector<Cell>>& cells = {}) const;
  /// A result with what all accuracy experiments have in common.
  ExperimentResult result() const;
  /// "0.43 (0.31 to 0.56)".
  std::string accuracy_text(std::size_t i) const;

 private:
  SettingRuns runs_;
  std::vector<SettingSummary> summaries_;
  Accuracy whole_;
};

/// A setting that stands for a number of the paper.
struct Counterpart {
  PaperNumber paper;
  std::optional<std::size_t> setting;  ///< of the score table; nothing: we have no such method
};
/// The paper's numbers with ours beside them.
Table paper_table(const ScoreTable& scores, const std::vector<Counterpart>& pairs);

}  // namespace qaq
