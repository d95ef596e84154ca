#pragma once

#include <array>
#include <span>

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

/// What the forward pass and QAQ's steps took.
struct StepCosts {
  CostSamples forward, statistics, planning, quantizing, packing;

  /// QAQ's, in order.
  std::array<const CostSamples*, 4> steps() const {
    return {&statistics, &planning, &quantizing, &packing};
  }
  /// The sum of their medians.
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
/// Statistics of both caches, bits for them, quantized values, packed bytes.
void measure_steps(const MemoryCapture& capture, const CostCase& of, std::size_t repeat,
                   StepCosts& costs, const Work& work);

}  // namespace qaq
