#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/memory_report.h"
#include "core/analysis/scope_params.h"
#include "core/analysis/table.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// One finished setting of a capture, without its arrays: small enough to keep them all.
struct RunSummary {
  std::string name{};    ///< of a run that is stored in the capture; else empty
  ScopeParams params{};  ///< what counts as a violation is not among them: the defaults
  std::int64_t prefix = 0;
  std::map<std::string, double> metrics{};  ///< metrics_json()'s numbers, and others' (kl_mean)

  bool has(std::string_view metric) const { return metrics.contains(std::string(metric)); }
};
RunSummary summary_of(const ReplayResult& result, std::string name = {});
/// The same parameters and prefix, whatever the name.
bool same_setting(const RunSummary& a, const RunSummary& b);

/// What a run may lose, the most telling first: "kl_mean", "output_error", "attention_error",
/// "quantization_error". Less is better.
std::span<const std::string_view> run_losses();
/// Those that at least one of the runs has.
std::vector<std::string> losses_of(std::span<const RunSummary> runs);

/// A run where it lies: how many times smaller it is, against what it loses.
struct RunPoint {
  std::size_t run = 0;  ///< index
  double ratio = 0;
  double loss = 0;
  bool on_front = false;  ///< no other run saves as much and loses less
};
/// Of the runs that have `loss`, in their order.
std::vector<RunPoint> run_tradeoff(std::span<const RunSummary> runs, Accounting accounting,
                                   std::string_view loss);

/// Corners of the staircase below which no run lies, from the least ratio on: what the runs on the
/// front save at most for a given loss.
struct FrontCorner {
  double ratio = 0, loss = 0;
};
std::vector<FrontCorner> front_stairs(std::span<const RunPoint> points);

/// A row a run: name, policy, level and variant of both caches where QAQ quantizes, ratios, losses,
/// whether it lies on the front of `loss`.
Table run_table(std::span<const RunSummary> runs, Accounting accounting, std::string_view loss);

}  // namespace qaq
