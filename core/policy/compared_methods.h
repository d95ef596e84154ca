#pragma once

#include <string>
#include <vector>

#include "core/policy/policy_budget.h"

namespace qaq {

/// A policy, or two of them composed, with what may change to meet a budget of bytes.
struct ComparedMethod {
  std::string name;  ///< as make_policy() takes it
  PolicyBudget budget;
};

/// Every policy that has a budget, in the order of policies(), then compositions of those that
/// there are: what quantizes behind an eviction of half of the tokens. All store scales as f16.
std::vector<ComparedMethod> compared_methods();

}  // namespace qaq
