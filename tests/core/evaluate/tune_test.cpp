// The search for a setting that meets a target, on losses and ratios that are known formulas.
#include "core/evaluate/tune.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <set>

#include "core/base/error.h"

namespace qaq {
namespace {

double error_of(const QaqParams& params) { return params.value.target_quantization_error; }

// Compression and loss grow with the error target; layers cost less and lose more than heads, and
// outliers the other way round.
TuneFigures smooth(const QaqParams& params) {
  const double layer = params.value.level == Level::layer ? 1.2 : 1.0;
  const double outliers = params.value.outliers_ratio > 0 ? 0.7 : 1.0;
  const double decades = std::log10(error_of(params)) + 3;
  return {layer * outliers * (2 + decades), 1e-4 * layer * outliers * std::pow(10, decades / 2)};
}

MeasureSettings each(TuneFigures (*figures)(const QaqParams&)) {
  return [figures](std::span<const QaqParams> settings) {
    std::vector<TuneFigures> out;
    for (const QaqParams& params : settings) out.push_back(figures(params));
    return out;
  };
}

TuneResult tuned(const TuneTarget& target, TuneFigures (*figures)(const QaqParams&),
                 std::vector<std::string> fixed = {}, int n_steps = kTuneSteps) {
  return tune({.fixed = {}, .fixed_names = std::move(fixed), .target = target, .n_steps = n_steps},
              each(figures));
}

// What a fine walk over all error targets and the whole grid finds.
TuneTrial exhaustive(const TuneTarget& target, TuneFigures (*figures)(const QaqParams&)) {
  TuneTrial best;
  bool met = false;
  for (const auto& list : settings_of(tune_grid({}), list_parameters(QaqParams{}))) {
    auto params = params_of<QaqParams>(list);
    for (int i = 0; i <= 600; ++i) {
      set_parameter(params, "target_quantization_error", std::pow(10, -3 + i / 100.0));
      const TuneFigures found = figures(params);
      if (!target.met_by(found) || (met && !target.better(found, best.figures))) continue;
      best = {params, found};
      met = true;
    }
  }
  EXPECT_TRUE(met);
  return best;
}

TEST(Tune, FindsTheCheapestSettingUnderALoss) {
  for (const double limit : {2e-4, 1e-3, 0.01, 0.05}) {
    const TuneTarget target{false, limit};
    const TuneTrial truth = exhaustive(target, smooth);
    const TuneResult found = tuned(target, smooth, {}, 8);
    const TuneTrial& best = found.trials[found.best];
    EXPECT_TRUE(found.met);
    EXPECT_LE(best.figures.loss, limit);
    EXPECT_LE(best.figures.ratio, truth.figures.ratio + 0.02) << "but for the walk's steps";
    EXPECT_GT(best.figures.ratio, 0.99 * truth.figures.ratio) << limit;
    EXPECT_EQ(best.params.value.level, truth.params.value.level);
    EXPECT_EQ(best.params.value.outliers_ratio, truth.params.value.outliers_ratio);
  }
}

TEST(Tune, FindsTheLeastLossOfARatio) {
  for (const double limit : {2.5, 4.0, 6.0, 9.0}) {
    const TuneTarget target{true, limit};
    const TuneTrial truth = exhaustive(target, smooth);
    const TuneResult found = tuned(target, smooth, {}, 8);
    const TuneTrial& best = found.trials[found.best];
    EXPECT_TRUE(found.met);
    EXPECT_GE(best.figures.ratio, limit);
    EXPECT_GE(best.figures.loss, truth.figures.loss * 0.98) << "but for the walk's steps";
    EXPECT_LT(best.figures.loss, 1.03 * truth.figures.loss) << limit;
  }
}

TEST(Tune, MoreStepsNeverFindLess) {
  double before = 0;
  for (const int n_steps : {0, 1, 2, 4, 8}) {
    const TuneResult found = tuned({false, 3e-3}, smooth, {}, n_steps);
    const double ratio = found.trials[found.best].figures.ratio;
    EXPECT_GE(ratio, before) << n_steps;
    before = ratio;
  }
  EXPECT_GT(before, tuned({false, 3e-3}, smooth, {}, 0).trials[0].figures.ratio);
}

// Bits are whole numbers: the figures are stairs, and here they also turn back once.
TuneFigures stairs(const QaqParams& params) {
  const double stair = std::floor(4 * (std::log10(error_of(params)) + 3));
  const double bump = stair == 7 ? 0.05 : 0;
  return {2 + stair / 4, 1e-3 * (stair + 1) + bump};
}

TEST(Tune, StairsAndAStepBackStillMeetTheTarget) {
  for (const double limit : {1.5e-3, 5.5e-3, 0.0125, 0.0205, 0.1}) {
    const TuneTarget target{false, limit};
    const TuneResult found = tuned(target, stairs, {}, 8);
    ASSERT_TRUE(found.met) << limit;
    const TuneFigures& best = found.trials[found.best].figures;
    EXPECT_LE(best.loss, limit);
    for (const TuneTrial& trial : found.trials) {
      EXPECT_FALSE(target.met_by(trial.figures) && target.better(trial.figures, best));
    }
    EXPECT_GE(best.ratio, exhaustive(target, stairs).figures.ratio - 0.25) << "one stair at most";
  }
}

TEST(Tune, AFlatMetricIsNotHalved) {
  const auto flat = [](const QaqParams&) { return TuneFigures{3, 0.5}; };
  const TuneResult met = tuned({false, 0.5}, flat), missed = tuned({false, 0.4}, flat);
  const auto n = static_cast<std::size_t>(kTuneScan) * 8;
  EXPECT_TRUE(met.met);
  EXPECT_EQ(met.trials.size(), n);
  EXPECT_FALSE(missed.met);
  EXPECT_EQ(missed.trials.size(), n);
}

TEST(Tune, WhatCannotBeMetGivesTheNearest) {
  const TuneResult loss = tuned({false, 1e-9}, smooth);
  EXPECT_FALSE(loss.met);
  for (const TuneTrial& trial : loss.trials) {
    EXPECT_GE(trial.figures.loss, loss.trials[loss.best].figures.loss);
  }
  const TuneResult ratio = tuned({true, 100}, smooth);
  EXPECT_FALSE(ratio.met);
  EXPECT_DOUBLE_EQ(ratio.trials[ratio.best].figures.ratio, 1.2 * 8) << "layers, the last error";
}

TEST(Tune, LeavesAloneWhatIsFixed) {
  QaqParams fixed;
  fixed.key.target_quantization_error = 7;
  fixed.key.level = Level::token;
  fixed.value.n_bits_max = 5;
  const TuneResult found =
      tune({.fixed = fixed,
            .fixed_names = {"key.target_quantization_error", "key.level", "value.n_bits_max"},
            .target = {false, 3e-3}},
           each(smooth));
  std::set<int> key_bits;
  std::set<Level> value_levels;
  std::set<double> errors;
  for (const TuneTrial& trial : found.trials) {
    EXPECT_EQ(trial.params.key.target_quantization_error, 7);
    EXPECT_EQ(trial.params.key.level, Level::token);
    EXPECT_EQ(trial.params.value.n_bits_max, 5);
    EXPECT_EQ(trial.params.key.outliers_ratio, trial.params.value.outliers_ratio);
    key_bits.insert(trial.params.key.n_bits_max);
    value_levels.insert(trial.params.value.level);
    errors.insert(trial.params.value.target_quantization_error);
  }
  EXPECT_EQ(key_bits.size(), 2u) << "the other cache still has its axis";
  EXPECT_EQ(value_levels.size(), 2u);
  EXPECT_GT(errors.size(), static_cast<std::size_t>(kTuneScan));
}

TEST(Tune, WhereNothingIsLeftToLookForItSaysSo) {
  const auto expect = [](const QaqParams& fixed, std::vector<std::string> names, const char* word) {
    try {
      tune({.fixed = fixed, .fixed_names = std::move(names), .target = {true, 4}}, each(smooth));
      ADD_FAILURE() << "nothing was thrown: " << word;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  expect({}, {"target_quantization_error"}, "target_quantization_error");
  expect({}, {"key.target_quantization_error", "value.target_quantization_error"}, "leaves");
  QaqParams uniform;
  uniform.key.use_attentions = uniform.value.use_attentions = false;
  expect(uniform, {"use_attentions"}, "use_attentions");
  QaqParams many;
  many.key.n_bits_min = many.value.n_bits_min = 9;
  expect(many, {"n_bits_min"}, "n_bits_max");
}

TEST(Tune, StopsWhenAsked) {
  std::stop_source stop;
  int n_calls = 0;
  const auto measure = [&](std::span<const QaqParams> settings) {
    if (++n_calls == 2) stop.request_stop();
    return std::vector<TuneFigures>(settings.size(), {3, 0.5});
  };
  try {
    tune({.fixed = {}, .fixed_names = {}, .target = {true, 4}}, measure,
         Work(nullptr, stop.get_token()));
    ADD_FAILURE() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  EXPECT_EQ(n_calls, 2);
}

}  // namespace
}  // namespace qaq
