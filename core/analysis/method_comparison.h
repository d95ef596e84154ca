#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/analysis/experiment.h"
#include "core/evaluate/budget_fit.h"
#include "core/evaluate/capture_meter.h"
#include "core/evaluate/item_result.h"

namespace qaq {

/// A method at one budget, or why it is not there.
struct MethodAtBudget {
  std::string method;
  BudgetFit fit;        ///< without a policy where the method was refused
  std::string refusal;  ///< why; else empty
  MeteredFigures figures{};
  MeteredSeconds seconds{};
};

/// What the model said of them, where one ran.
struct MethodScores {
  std::vector<ItemResult> items;        ///< each with all settings that were run, in order
  std::vector<std::size_t> setting_of;  ///< by row, its place in `items`; kNotRun
  static constexpr std::size_t kNotRun = static_cast<std::size_t>(-1);
};

/// Brings every method to every budget (packed ratios) and measures it on the captures: a row a
/// method and budget. Methods that the captures are not enough for, or that refuse them, say so.
std::vector<MethodAtBudget> methods_at_budgets(std::span<const ComparedMethod> methods,
                                               std::span<const double> budgets, CaptureMeter& meter,
                                               const Work& work);

/// The tables of such rows: the main one, the front of what no other method saves more and loses
/// less than, bytes by component, settings; with their chart and remarks. `scores` may be null.
ExperimentResult method_tables(std::span<const MethodAtBudget> rows, const MethodScores* scores);

}  // namespace qaq
