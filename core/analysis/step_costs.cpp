#include "core/analysis/step_costs.h"

#include <algorithm>

#include "core/analysis/experiment_settings.h"
#include "core/evaluate/time_in.h"
#include "core/replay/cache_replay.h"
#include "core/replay/pack_cache.h"
#include "core/replay/replayer.h"

namespace qaq {
namespace {

QaqParams params_of(const CostCase& of, double e) {
  QaqParams out = qaq_params({.e = e, .outliers_ratio = of.outliers_ratio, .window = of.window});
  out.key.level = out.value.level = of.level;
  return out;
}

}  // namespace

double CostSamples::median() const {
  auto sorted = seconds;
  std::ranges::sort(sorted);
  return sorted[kRepeats / 2];
}

double StepCosts::qaq() const {
  double sum = 0;
  for (const CostSamples* step : steps()) sum += step->median();
  return sum;
}

void measure_forward(Engine& engine, std::span<const std::int32_t> ids, std::size_t repeat,
                     StepCosts& costs, const Work& work) {
  const TimeIn time(costs.forward.seconds[repeat]);
  engine.keep(0);
  engine.run(ids, nullptr, Work(nullptr, work.stop_token()));
}

void measure_steps(const MemoryCapture& capture, const CostCase& of, std::size_t repeat,
                   StepCosts& costs, const Work& work) {
  const Work silent(nullptr, work.stop_token());
  Replayer replayer(capture);
  {
    const TimeIn time(costs.statistics.seconds[repeat]);
    replayer.plans({params_of(of, 3), 0}, silent);
  }
  // Another budget leaves statistics and importance as they are: what is left is planning.
  PlannedCaches plans;
  {
    const TimeIn time(costs.planning.seconds[repeat]);
    plans = replayer.plans({params_of(of, 1), 0}, silent);
  }
  costs.statistics.seconds[repeat] -= costs.planning.seconds[repeat];
  {
    const TimeIn time(costs.quantizing.seconds[repeat]);
    for (std::int64_t layer = 0; layer < capture.info().n_captured_layers(); ++layer) {
      quantized_layer(capture, plans.key, layer);
      quantized_layer(capture, plans.value, layer);
    }
  }
  {
    const TimeIn time(costs.packing.seconds[repeat]);
    pack_cache(capture, plans.key, silent);
    pack_cache(capture, plans.value, silent);
  }
}

}  // namespace qaq
