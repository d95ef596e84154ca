#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/analysis/chart.h"

namespace qaq {

/// One run of a results file, by what was measured of it.
struct TradeoffRun {
  std::map<std::string, double> metrics{};  ///< finite numbers, by their names in the file
  bool by_attention = false;                ///< QAQ; else flat bits, or nothing quantized
  std::optional<std::pair<double, double>> accuracy_interval{};  ///< at 95 %
};

/// Runs that came from one place.
struct TradeoffRuns {
  std::string name;      ///< of the file
  bool authors = false;  ///< not made by this program
  std::vector<TradeoffRun> runs{};
};

/// What a trade-off is drawn of; nothing: the first of a list that all files have.
struct TradeoffAxes {
  std::optional<std::string> x, y;
};

/// Every run a point: what is saved (x) against what is lost (y), with the front of all of them.
/// Throws Error{usage} where the files have no such metric in common.
Chart tradeoff_chart(std::span<const TradeoffRuns> files, const TradeoffAxes& axes);

}  // namespace qaq
