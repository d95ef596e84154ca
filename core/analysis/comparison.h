#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/alignment.h"
#include "core/analysis/table.h"
#include "core/base/parameters.h"
#include "core/base/progress.h"
#include "core/evaluate/position_score.h"
#include "core/evaluate/statistics.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// One of two things compared: what a setting made of a capture.
struct ComparedRun {
  std::string name;
  std::shared_ptr<const CaptureView> capture;
  /// Null: the whole cache; its prefix is that of the other run.
  SharedReplay replay{};
  /// Of a model that ran on the quantized prefix, in order of tokens from the prefix on; empty:
  /// none did.
  std::vector<PositionScore> scores{};
};

/// What became of a metric from A to B.
enum class DeltaWord { better, worse, same };
template <>
struct ChoiceNames<DeltaWord> {
  static constexpr std::array<std::string_view, 3> names{"better", "worse", "same"};
};

/// A metric of two runs over what both hold.
struct MetricDelta {
  std::string name;   ///< as in JSON: "attention_error"
  std::string title;  ///< for people
  std::string unit;   ///< "nat", "bit", "byte"; "1": dimensionless; "%": a share of 1
  bool less_is_better = true;
  double a = 0, b = 0;
  /// Of B - A at 95 %: of means over steps, paired. Nothing: no sample, but all there is.
  std::optional<Interval> interval{};
  std::int64_t n = 0;  ///< steps that it was taken over; 0: none

  double absolute() const { return b - a; }
  /// (B - A) / |A|; nothing where A is 0.
  std::optional<double> relative() const;
  /// The interval holds 0, so that chance alone may have made the difference.
  bool in_noise() const;
  DeltaWord word() const;
};

/// A parameter, or "prefix", of which two runs have different values; text as --set takes it, empty
/// where a run has no such parameter. The whole cache has level=no-quantization.
struct SettingDelta {
  std::string name;
  std::string a, b;
};

/// B held against A. Immutable.
struct Comparison {
  Alignment alignment;
  std::string remark;  ///< alignment's, and what else was left out
  std::vector<SettingDelta> settings;
  std::vector<MetricDelta> metrics;
  std::int64_t prefix = 0;  ///< tokens that both quantized; 0: neither did
};

/// Compares two runs of one model on one prompt. Means over cells, keys and values are of the
/// tokens and layers that both quantized and hold; means over steps of those that both replayed.
/// Throws Error{input} with the alignment's refusal, Error{interrupted}.
Comparison compare(const ComparedRun& a, const ComparedRun& b, const Work& work = {});

/// A row a metric: A, B, B - A, relative, interval, word.
Table delta_table(const Comparison& comparison);
/// What `qaq compare --json` prints, but for the names of both.
nlohmann::ordered_json comparison_json(const Comparison& comparison);

}  // namespace qaq
