#pragma once

#include <optional>
#include <string>
#include <vector>

namespace qaq {

/// Values that a parameter may take to bring a policy to given bytes, as --set takes them.
struct BudgetChoice {
  std::string name;
  std::vector<std::string> values;
};

/// Parameters that move together between two numbers. The larger they are the larger is the cache,
/// or the smaller: they are found by bisection.
struct BudgetRange {
  std::vector<std::string> names;
  double least = 0, most = 1;
  bool log_scale = false;  ///< halved in the logarithm; `least` is above 0 then
  bool whole = false;      ///< whole numbers alone
};

/// What of a policy may change to bring its cache to given bytes, and what may not: every
/// combination of the choices, with the range halved for each. Combinations that a policy refuses
/// for a cache are left out.
struct PolicyBudget {
  std::vector<std::string> fixed{};  ///< "name=value"
  std::vector<BudgetChoice> choices{};
  std::optional<BudgetRange> range{};
};

}  // namespace qaq
