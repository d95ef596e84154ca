#include "core/analysis/method_comparison.h"

#include <map>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

std::string key_of(const CachePolicy& policy) {
  std::string key(policy.name());
  for (const Parameter& each : policy.parameters()) {
    key += cat(" ", each.name, "=", value_text(each.value));
  }
  return key;
}

std::vector<BudgetFit> fits_of(const ComparedMethod& method, std::span<const double> budgets,
                               CaptureMeter& meter, std::string& refusal, const Work& work) {
  try {
    return fit_budgets(method, budgets, meter, work);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage && error.kind() != ErrorKind::input) throw;
    refusal = error.text().what;
    if (!error.text().place.empty()) refusal = cat(error.text().place, ": ", refusal);
  }
  std::vector<BudgetFit> out;
  for (const double budget : budgets) out.push_back({.budget = budget});
  return out;
}

}  // namespace

std::vector<MethodAtBudget> methods_at_budgets(std::span<const ComparedMethod> methods,
                                               std::span<const double> budgets, CaptureMeter& meter,
                                               const Work& work) {
  std::vector<MethodAtBudget> rows;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    work.report({"budgets", static_cast<std::int64_t>(i), std::ssize(methods), "methods"});
    std::string refusal;
    for (BudgetFit& fit : fits_of(methods[i], budgets, meter, refusal, work)) {
      rows.push_back({methods[i].name, std::move(fit), refusal});
    }
  }
  work.report({"budgets", std::ssize(methods), std::ssize(methods), "methods"});

  // A method without free parameters has one setting for all budgets.
  std::map<std::string, std::size_t> place;
  std::vector<std::shared_ptr<const CachePolicy>> settings;
  for (const MethodAtBudget& row : rows) {
    if (!row.fit.policy) continue;
    if (place.try_emplace(key_of(*row.fit.policy), settings.size()).second) {
      settings.push_back(row.fit.policy);
    }
  }
  const std::vector<MeteredFigures> figures = meter.figures(settings);
  std::vector<MeteredSeconds> seconds;
  for (const auto& policy : settings) {
    work.report({"times", std::ssize(seconds), std::ssize(settings), "settings"});
    work.throw_if_stopped();
    seconds.push_back(meter.seconds(*policy));
  }
  work.report({"times", std::ssize(settings), std::ssize(settings), "settings"});
  for (MethodAtBudget& row : rows) {
    if (!row.fit.policy) continue;
    const std::size_t at = place.at(key_of(*row.fit.policy));
    row.figures = figures[at];
    row.seconds = seconds[at];
  }
  return rows;
}

}  // namespace qaq
