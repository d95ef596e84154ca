#pragma once

#include <array>
#include <span>
#include <string_view>

#include "core/base/progress.h"
#include "core/engine/engine.h"
#include "core/policy/qaq_params.h"
#include "core/replay/memory_capture.h"

namespace qaq {

/// Seconds of one step, by repeat.
struct CostSamples {
  static constexpr std::size_t kRepeats = 3;
  std::array<double, kRepeats> seconds{};

  double median() const;
};

/// QAQ's steps, in their order.
enum class CostStep {
  statistics,  ///< ranges and means of all units
  outliers,    ///< what their order statistics take beside
  window,      ///< importance of every token, from the window's attention
  planning,    ///< bits from these
  quantizing,  ///< values as they are read again
  packing,     ///< bytes
  transfer     ///< the packed bytes copied to other memory of this machine
};
inline constexpr std::array<std::string_view, 7> kCostSteps{
    "statistics", "outliers", "window", "planning", "quantizing", "packing", "transfer"};

/// What the forward pass and QAQ's steps took.
struct StepCosts {
  CostSamples forward;
  std::array<CostSamples, kCostSteps.size()> steps;

  CostSamples& of(CostStep step) { return steps[static_cast<std::size_t>(step)]; }
  /// The sum of the steps' medians.
  double qaq() const;
};

/// What the time may depend on beside the number of tokens.
struct CostCase {
  double outliers_ratio = 0.01;
  int window = 5;
  Level level = Level::head;  ///< of the units: one head's row, a layer's, or a token's
};

/// Runs the prompt on an empty cache.
void measure_forward(Engine& engine, std::span<const std::int32_t> ids, std::size_t repeat,
                     StepCosts& costs, const Work& work);
/// QAQ's steps on both caches.
void measure_steps(const MemoryCapture& capture, const CostCase& of, std::size_t repeat,
                   StepCosts& costs, const Work& work);

}  // namespace qaq
