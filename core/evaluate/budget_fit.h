#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/policy/cache_policy.h"
#include "core/policy/compared_methods.h"

namespace qaq {

/// Packed bytes may miss a budget by this share of it.
inline constexpr double kBudgetTolerance = 0.01;

/// What methods are brought to a budget on.
class BudgetMeter {
 public:
  virtual ~BudgetMeter() = default;
  /// 2 bytes a value over packed bytes. Throws Error{usage} where the policy cannot be for this
  /// cache, Error{input} where something is missing that it needs.
  virtual double ratio(const std::shared_ptr<const CachePolicy>& policy) = 0;
  /// Whatever is to be small, one number each, in order.
  virtual std::vector<double> losses(
      std::span<const std::shared_ptr<const CachePolicy>> policies) = 0;
};

/// A method brought to a budget, or as near to it as it comes.
struct BudgetFit {
  double budget = 0;                       ///< the packed ratio that was asked for
  std::vector<std::string> assignments{};  ///< of the setting, as --set takes them
  std::shared_ptr<const CachePolicy> policy{};
  double ratio = 0;
  bool met = false;  ///< within kBudgetTolerance
  /// The nearest ratios up to the budget and from it on that were seen; 0: none.
  double below = 0, above = 0;
};

bool meets(double ratio, double budget);

/// Brings a method to each budget (packed ratios), by all combinations of its choices and, for each
/// of them, bisection of its range. Of settings that meet a budget the one of least loss is taken,
/// the first of equals; where none does, the nearest. Whole numbers are few, so that a budget may
/// lie between two of them. Errors of the meter; Error{usage} where it refuses every setting.
std::vector<BudgetFit> fit_budgets(const ComparedMethod& method, std::span<const double> budgets,
                                   BudgetMeter& meter, const Work& work);

}  // namespace qaq
