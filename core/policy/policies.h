#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy/cache_policy.h"
#include "core/policy/policy_budget.h"
#include "core/policy/policy_preset.h"

namespace qaq {

/// A policy by its name.
struct PolicyEntry {
  std::string_view name;                   ///< as --policy takes it
  std::string_view help;                   ///< one line, with its source
  std::vector<Parameter> (*parameters)();  ///< with their defaults
  /// Published settings other than the defaults.
  std::span<const PolicyPreset> (*presets)();
  bool evicts = false;  ///< it chooses the tokens that are left, and keeps those exactly
  /// With "name=value"s on top of the defaults. Throws Error{usage}.
  std::shared_ptr<const CachePolicy> (*make)(std::span<const std::string> assignments);
  /// How it is brought to given bytes: Policy::budget(). Nothing: it saves none.
  std::optional<PolicyBudget> budget{};
};

/// The policy that `name` means, with "name=value"s on top of its defaults: one of policies(), or
/// two of them, what quantizes and what evicts: "qaq+h2o", whose parameters are "h2o.heavy_ratio"
/// or, where the first has none of that name, "heavy_ratio". Throws Error{usage}.
std::shared_ptr<const CachePolicy> make_policy(std::string_view name,
                                               std::span<const std::string> assignments);

/// Whether it is QAQ alone: what some parts of the program are there for.
bool is_qaq(const CachePolicy& policy);
/// A policy as the command line takes it, "--policy NAME --set ..." with what differs from its
/// defaults; of QAQ without --policy.
std::string command_line_text(const CachePolicy& policy);

/// All policies, QAQ first. To add one: its file, its line in policies.cpp, its test.
std::span<const PolicyEntry> policies();
/// Throws Error{usage} with the nearest name where there is none.
const PolicyEntry& policy_named(std::string_view name);
std::vector<std::string> policy_names();

}  // namespace qaq
