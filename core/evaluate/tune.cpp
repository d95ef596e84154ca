#include "core/evaluate/tune.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr const char* kErrorName = "target_quantization_error";

// The rest of the grid. Midpoints and scales of 16 bits are the better choice wherever bits are
// few, so they are no axes to search.
std::vector<GridAxis> all_axes() {
  return {{"level", {std::string("layer"), std::string("head")}},
          {"outliers_ratio", {0.0, 0.01}},
          {"n_bits_max", {std::int64_t{4}, std::int64_t{8}}},
          {"range_rule", {std::string("midpoint")}},
          {"store_scale", {std::string("f16")}}};
}

// Of a parameter of both caches: the bare name where both are free, else the free one, else none.
std::optional<std::string> free_name(const std::string& name,
                                     const std::vector<std::string>& fixed_names) {
  const auto is_free = [&](const std::string& side) {
    return std::ranges::none_of(fixed_names, [&](const std::string& fixed) {
      return fixed == name || fixed == cat(side, ".", name);
    });
  };
  const bool key = is_free("key"), value = is_free("value");
  if (key && value) return name;
  if (key) return cat("key.", name);
  if (value) return cat("value.", name);
  return {};
}

double three_digits(double value) {
  const std::string text = short_text(value, 3);
  double out = value;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

bool same(const TuneFigures& a, const TuneFigures& b) {
  return a.ratio == b.ratio && a.loss == b.loss;
}

// One setting of the grid with its error targets in ascending order.
class Search {
 public:
  explicit Search(QaqParams params) : params_(std::move(params)) {}

  QaqParams with_error(const std::string& error_name, double error) const {
    QaqParams out = params_;
    set_parameter(out, error_name, error);
    return out;
  }
  void add(double error, const TuneFigures& figures) {
    const auto at = std::ranges::lower_bound(points_, error, {}, &Point::error);
    points_.insert(at, {error, figures});
  }
  // The error target that halves the most promising stretch between one that meets the target and
  // one that does not; none where no stretch can beat `best`.
  std::optional<double> next(const TuneTarget& target, const TuneFigures* best) const {
    const TuneFigures* promise = nullptr;
    std::optional<double> out;
    for (std::size_t i = 1; i < points_.size(); ++i) {
      const Point &a = points_[i - 1], &b = points_[i];
      const bool a_meets = target.met_by(a.figures);
      if (a_meets == target.met_by(b.figures) || same(a.figures, b.figures)) continue;
      const TuneFigures& missing = a_meets ? b.figures : a.figures;
      const double middle = three_digits(std::sqrt(a.error * b.error));
      if (middle <= a.error || middle >= b.error) continue;
      if (best && !target.better(missing, *best)) continue;
      if (promise && !target.better(missing, *promise)) continue;
      promise = &missing;
      out = middle;
    }
    return out;
  }

 private:
  struct Point {
    double error = 0;
    TuneFigures figures;
  };
  QaqParams params_;
  std::vector<Point> points_;
};

std::vector<Search> searches_of(const TuneOptions& options) {
  std::vector<Search> out;
  for (const auto& list :
       settings_of(tune_grid(options.fixed_names), list_parameters(options.fixed))) {
    const auto params = params_of<QaqParams>(list);
    validate(params);
    out.emplace_back(params);
  }
  if (out.empty()) {
    refuse_usage({.place = "n_bits_min",
                  .what = "is above every n_bits_max of the grid",
                  .cure = "set n_bits_max too"});
  }
  return out;
}

void require_a_search(const TuneOptions& options, const std::string& error_name) {
  const auto follows = [&](const char* side, const QaqSideParams& params) {
    const bool moved = error_name == kErrorName || error_name == cat(side, ".", kErrorName);
    return moved && params.use_attentions && params.level != Level::no_quantization;
  };
  if (!follows("key", options.fixed.key) && !follows("value", options.fixed.value)) {
    refuse_usage({.place = kErrorName,
                  .what = "is what tuning looks for, and what is set leaves it no effect",
                  .cure = "leave it, use_attentions and level of one cache at least unset"});
  }
}

}  // namespace

bool TuneTarget::met_by(const TuneFigures& figures) const {
  return limits_ratio ? figures.ratio >= limit : figures.loss <= limit;
}

bool TuneTarget::better(const TuneFigures& a, const TuneFigures& b) const {
  if (limits_ratio) return a.loss != b.loss ? a.loss < b.loss : a.ratio > b.ratio;
  return a.ratio != b.ratio ? a.ratio > b.ratio : a.loss < b.loss;
}

bool TuneTarget::nearer(const TuneFigures& a, const TuneFigures& b) const {
  return TuneTarget{!limits_ratio, 0}.better(a, b);
}

ParameterGrid tune_grid(const std::vector<std::string>& fixed_names) {
  ParameterGrid grid;
  grid.conditions = {"n_bits_min <= n_bits_max"};
  for (GridAxis& axis : all_axes()) {
    const auto name = free_name(axis.name, fixed_names);
    if (name) grid.axes.push_back({*name, std::move(axis.values)});
  }
  return grid;
}

TuneResult tune(const TuneOptions& options, const MeasureSettings& measure, const Work& work) {
  const std::string error_name = free_name(kErrorName, options.fixed_names).value_or("");
  require_a_search(options, error_name);
  std::vector<Search> searches = searches_of(options);
  TuneResult out;
  const auto best = [&] { return out.met ? &out.trials[out.best].figures : nullptr; };

  // Measures one error target a search, and keeps the best.
  struct Question {
    Search* search;
    double error;
  };
  const auto ask = [&](std::span<const Question> questions, std::int64_t n_to_come) {
    work.throw_if_stopped();
    const auto n_done = static_cast<std::int64_t>(out.trials.size());
    const std::int64_t n_asked = std::ssize(questions);
    work.report({"tune", n_done, n_done + n_asked + n_to_come, "trials"});
    std::vector<QaqParams> settings;
    for (const Question& question : questions) {
      settings.push_back(question.search->with_error(error_name, question.error));
    }
    const std::vector<TuneFigures> figures = measure(settings);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      questions[i].search->add(questions[i].error, figures[i]);
      out.trials.push_back({settings[i], figures[i]});
      const TuneFigures& present = out.trials[out.best].figures;
      const bool meets = options.target.met_by(figures[i]);
      if (meets != out.met ? meets
          : meets          ? options.target.better(figures[i], present)
                           : options.target.nearer(figures[i], present)) {
        out.best = out.trials.size() - 1;
        out.met = meets;
      }
    }
  };

  const std::int64_t n = std::ssize(searches);
  for (int i = 0; i < kTuneScan; ++i) {
    const double at = static_cast<double>(i) / (kTuneScan - 1);
    const double error =
        three_digits(kTuneFirstError * std::pow(kTuneLastError / kTuneFirstError, at));
    std::vector<Question> questions;
    for (Search& search : searches) questions.push_back({&search, error});
    ask(questions, n * (kTuneScan - 1 - i + options.n_steps));
  }
  for (int step = 0; step < options.n_steps; ++step) {
    std::vector<Question> questions;
    for (Search& search : searches) {
      const auto error = search.next(options.target, best());
      if (error) questions.push_back({&search, *error});
    }
    if (questions.empty()) break;
    ask(questions, std::ssize(questions) * (options.n_steps - 1 - step));
  }
  const auto n_done = static_cast<std::int64_t>(out.trials.size());
  work.report({"tune", n_done, n_done, "trials"});
  return out;
}

}  // namespace qaq
