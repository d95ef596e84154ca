#include "core/evaluate/budget_fit.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/policies.h"

namespace qaq {
namespace {

using Assignments = std::vector<std::string>;

// A bisection ends this near to the budget, or when its stretch is as short as its numbers are.
constexpr double kNearEnough = 0.001;
constexpr int kMostHalvings = 40;

// How far bytes miss those of a budget.
double miss(double ratio, double budget) { return std::abs(budget / ratio - 1); }

struct Trial {
  Assignments assignments;
  std::shared_ptr<const CachePolicy> policy;
  double ratio = 0;
};

std::vector<Assignments> combinations(const PolicyBudget& budget) {
  std::vector<Assignments> out{budget.fixed};
  for (const BudgetChoice& choice : budget.choices) {
    std::vector<Assignments> longer;
    for (const Assignments& begun : out) {
      for (const std::string& value : choice.values) {
        longer.push_back(begun);
        longer.back().push_back(cat(choice.name, "=", value));
      }
    }
    out = std::move(longer);
  }
  return out;
}

std::string number_of(const BudgetRange& range, double x) {
  return range.whole ? cat(static_cast<std::int64_t>(std::llround(x))) : short_text(x);
}

double middle_of(const BudgetRange& range, double a, double b) {
  const double x = range.log_scale ? std::sqrt(a * b) : (a + b) / 2;
  double rounded = x;  // as it will be set
  const std::string text = number_of(range, x);
  std::from_chars(text.data(), text.data() + text.size(), rounded);
  return rounded;
}

// Settings of one combination of the choices, each tried once.
class Walk {
 public:
  Walk(const ComparedMethod& method, Assignments begun, BudgetMeter& meter)
      : method_(method), begun_(std::move(begun)), meter_(meter) {}

  void go(std::span<const double> budgets) {
    if (!method_.budget.range) {
      tried(0);
      return;
    }
    const BudgetRange& range = *method_.budget.range;
    for (const double budget : budgets) halve(range, budget);
  }
  /// What was possible of it, in order of the range.
  std::vector<Trial> trials() const {
    std::vector<Trial> out;
    for (const auto& [x, trial] : seen_) {
      if (trial) out.push_back(*trial);
    }
    return out;
  }
  const std::optional<Error>& refusal() const { return refusal_; }

 private:
  const Trial* tried(double x) {
    const auto [at, is_new] = seen_.try_emplace(x);
    if (is_new) at->second = trial(x);
    return at->second ? &*at->second : nullptr;
  }

  std::optional<Trial> trial(double x) {
    Trial out{begun_, nullptr};
    if (const auto& range = method_.budget.range) {
      for (const std::string& name : range->names) {
        out.assignments.push_back(cat(name, "=", number_of(*range, x)));
      }
    }
    try {
      out.policy = make_policy(method_.name, out.assignments);
      out.ratio = meter_.ratio(out.policy);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::usage) throw;
      refusal_ = error;  // values that do not go together, or not with this cache
      return {};
    }
    return out;
  }

  void halve(const BudgetRange& range, double budget) {
    double a = range.least, b = range.most;
    const Trial *first = tried(a), *last = tried(b);
    if (!first || !last) return;
    const bool rises = first->ratio < last->ratio;
    if ((first->ratio < budget) == (last->ratio < budget)) return;
    for (int i = 0; i < kMostHalvings; ++i) {
      const double x = middle_of(range, a, b);
      if (x <= a || x >= b) return;
      const Trial* middle = tried(x);
      if (!middle || miss(middle->ratio, budget) <= kNearEnough) return;
      ((middle->ratio < budget) == rises ? a : b) = x;
    }
  }

  const ComparedMethod& method_;
  Assignments begun_;
  BudgetMeter& meter_;
  std::map<double, std::optional<Trial>> seen_;  // by the range's number
  std::optional<Error> refusal_;
};

const Trial& nearest(const std::vector<Trial>& trials, double budget) {
  return *std::ranges::min_element(trials, {},
                                   [&](const Trial& trial) { return miss(trial.ratio, budget); });
}

// Of every combination the trial that comes nearest.
BudgetFit fit(const std::vector<std::vector<Trial>>& combinations, double budget,
              BudgetMeter& meter) {
  BudgetFit out{.budget = budget};
  std::vector<Trial> near, meeting;
  for (const std::vector<Trial>& trials : combinations) {
    for (const Trial& trial : trials) {
      if (trial.ratio <= budget) out.below = std::max(out.below, trial.ratio);
      if (trial.ratio >= budget && (out.above == 0 || trial.ratio < out.above)) {
        out.above = trial.ratio;
      }
    }
    near.push_back(nearest(trials, budget));
  }
  std::ranges::copy_if(near, std::back_inserter(meeting),
                       [&](const Trial& trial) { return meets(trial.ratio, budget); });
  out.met = !meeting.empty();
  Trial chosen = out.met ? meeting.front() : nearest(near, budget);
  if (meeting.size() > 1) {
    std::vector<std::shared_ptr<const CachePolicy>> policies;
    for (const Trial& trial : meeting) policies.push_back(trial.policy);
    const std::vector<double> losses = meter.losses(policies);
    const auto best = std::ranges::min_element(losses) - losses.begin();
    chosen = meeting[static_cast<std::size_t>(best)];
  }
  out.assignments = std::move(chosen.assignments);
  out.policy = std::move(chosen.policy);
  out.ratio = chosen.ratio;
  return out;
}

}  // namespace

bool meets(double ratio, double budget) { return miss(ratio, budget) <= kBudgetTolerance; }

std::vector<BudgetFit> fit_budgets(const ComparedMethod& method, std::span<const double> budgets,
                                   BudgetMeter& meter, const Work& work) {
  std::vector<std::vector<Trial>> seen;
  std::optional<Error> refusal;
  for (Assignments& each : combinations(method.budget)) {
    work.throw_if_stopped();
    Walk walk(method, std::move(each), meter);
    walk.go(budgets);
    if (auto trials = walk.trials(); !trials.empty()) seen.push_back(std::move(trials));
    if (walk.refusal()) refusal = walk.refusal();
  }
  if (seen.empty()) throw refusal.value();
  std::vector<BudgetFit> out;
  for (const double budget : budgets) out.push_back(fit(seen, budget, meter));
  return out;
}

}  // namespace qaq
