#include "core/analysis/step_costs.h"

#include <algorithm>
#include <vector>

#include "core/analysis/experiment_settings.h"
#include "core/evaluate/time_in.h"
#include "core/policy/importance.h"
#include "core/policy/qaq_policy.h"
#include "core/replay/cache_replay.h"
#include "core/replay/pack_cache.h"
#include "core/replay/replayer.h"

namespace qaq {
namespace {

QaqParams params_of(const CostCase& of, double e = 1) {
  QaqParams out = qaq_params({.e = e, .outliers_ratio = of.outliers_ratio, .window = of.window});
  out.key.level = out.value.level = of.level;
  return out;
}

// Statistics without outliers, and what those add.
void measure_statistics(const MemoryCapture& capture, const QaqParams& params, std::size_t repeat,
                        StepCosts& costs) {
  const CaptureInfo& info = capture.info();
  const QaqPolicy policy(params);
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    QuantizerSpec spec = policy.needs(side).quantizer;
    const UnitLayout layout(spec.level, {info.n_captured_layers(), info.shape.n_kv_heads,
                                         info.n_tokens, info.shape.head_dim});
    std::vector<SharedArray<float, 3>> held;
    std::vector<CacheLayer> layers;
    for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
      held.push_back(exact_layer(capture, side, layer));
      layers.push_back(held.back()->view());
    }
    std::vector<UnitStats> stats(static_cast<std::size_t>(layout.n_units()));
    double all = 0, plain = 0;
    {
      const TimeIn time(all);
      fill_unit_stats(layout, spec, 0, layers, stats);
    }
    if (spec.outliers_ratio > 0) {
      spec.outliers_ratio = 0;
      const TimeIn time(plain);
      fill_unit_stats(layout, spec, 0, layers, stats);
    } else {
      plain = all;
    }
    costs.of(CostStep::statistics).seconds[repeat] += plain;
    costs.of(CostStep::outliers).seconds[repeat] += std::max(0.0, all - plain);
  }
}

// Importance as values need it; keys of variant reference need none.
void measure_window(const MemoryCapture& capture, const QaqParams& params) {
  const CaptureInfo& info = capture.info();
  const PolicyNeeds needs = QaqPolicy(params).needs(CacheSide::value);
  const std::int64_t n = std::min(needs.importance->n_rows, info.n_query_rows());
  NdArray<float, 2> importance({info.shape.n_kv_heads, info.n_tokens});
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    window_importance(capture.attention(layer, info.n_query_rows() - n, n)->view(),
                      needs.importance->reduce, importance.view());
  }
}

}  // namespace

double CostSamples::median() const {
  auto sorted = seconds;
  std::ranges::sort(sorted);
  return sorted[kRepeats / 2];
}

double StepCosts::qaq() const {
  double sum = 0;
  for (const CostSamples& step : steps) sum += step.median();
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
  const auto seconds = [&](CostStep step) -> double& { return costs.of(step).seconds[repeat]; };
  const QaqParams params = params_of(of);
  measure_statistics(capture, params, repeat, costs);
  {
    const TimeIn time(seconds(CostStep::window));
    measure_window(capture, params);
  }
  Replayer replayer(capture);
  replayer.plans({params_of(of, 3), 0}, silent);
  // Another budget leaves statistics and importance as they are: what is left is planning.
  PlannedCaches plans;
  {
    const TimeIn time(seconds(CostStep::planning));
    plans = replayer.plans({params, 0}, silent);
  }
  {
    const TimeIn time(seconds(CostStep::quantizing));
    for (std::int64_t layer = 0; layer < capture.info().n_captured_layers(); ++layer) {
      quantized_layer(capture, plans.key, layer);
      quantized_layer(capture, plans.value, layer);
    }
  }
  for (const PlannedCache* cache : {&plans.key, &plans.value}) {
    PackedCache packed;
    {
      const TimeIn time(seconds(CostStep::packing));
      packed = pack_cache(capture, *cache, silent);
    }
    std::vector<std::uint8_t> there(static_cast<std::size_t>(packed.bytes().total()));
    const TimeIn time(seconds(CostStep::transfer));
    auto to = there.begin();
    for (const auto& part : packed.parts) to = std::copy(part.begin(), part.end(), to);
  }
}

}  // namespace qaq
