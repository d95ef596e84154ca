#include "core/policy/compared_methods.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/text.h"
#include "core/policy/policies.h"

namespace qaq {
namespace {

// What evicts does so by `fixed`; what quantizes is brought to the budget.
struct Composition {
  std::string_view keeping, evicting;
  std::vector<std::string> fixed;
};

const PolicyEntry* entry_named(std::string_view name) {
  const auto found = std::ranges::find(policies(), name, &PolicyEntry::name);
  return found == policies().end() ? nullptr : &*found;
}

// Rivals store scales as 16 bits: whoever can store more does not here.
ComparedMethod with_small_scales(std::string name, PolicyBudget budget) {
  const auto parameters = make_policy(name, {})->parameters();
  if (std::ranges::any_of(parameters,
                          [](const Parameter& each) { return each.info.name == "store_scale"; })) {
    budget.fixed.emplace_back("store_scale=f16");
  }
  return {std::move(name), std::move(budget)};
}

}  // namespace

std::vector<ComparedMethod> compared_methods() {
  static const std::array kCompositions{
      Composition{"qaq", "h2o", {"h2o.heavy_ratio=0.25", "h2o.recent_ratio=0.25"}},
      Composition{"uniform", "h2o", {"h2o.heavy_ratio=0.25", "h2o.recent_ratio=0.25"}},
      Composition{"qaq", "expected_attention", {"expected_attention.compression_ratio=0.5"}}};
  std::vector<ComparedMethod> out;
  for (const PolicyEntry& each : policies()) {
    if (each.budget) out.push_back(with_small_scales(std::string(each.name), *each.budget));
  }
  for (const Composition& each : kCompositions) {
    const PolicyEntry* keeping = entry_named(each.keeping);
    if (keeping == nullptr || entry_named(each.evicting) == nullptr) continue;
    PolicyBudget budget = keeping->budget.value();
    budget.fixed.insert(budget.fixed.end(), each.fixed.begin(), each.fixed.end());
    out.push_back(with_small_scales(cat(each.keeping, "+", each.evicting), std::move(budget)));
  }
  return out;
}

}  // namespace qaq
