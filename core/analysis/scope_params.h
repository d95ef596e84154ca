#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/violations.h"
#include "core/policy/qaq_params.h"
#include "core/replay/replay.h"

namespace qaq {

/// Everything that a user of a capture can set: which policy decides, what it is set to, and what
/// counts as a violation of the importance that it goes by. The command line's --policy and --set
/// and the window's parameter panel are made from it. What a policy has not keeps its defaults, so
/// that equal settings are equal values.
struct ScopeParams {
  std::string policy = "qaq";     ///< one of policies(), or two of them: "qaq+h2o"
  QaqParams qaq{};                ///< of what quantizes, where that is QAQ
  std::vector<Parameter> rest{};  ///< of all others: a rival's, an evicting policy's
  ViolationParams violation{};    ///< where QAQ quantizes: it alone goes by importance

  bool is_qaq() const { return policy == "qaq"; }
  /// QAQ quantizes, whatever evicts.
  bool uses_qaq() const { return is_qaq() || policy.starts_with("qaq+"); }
};

/// The two halves of a policy's name: "qaq" evicts with nothing, "h2o" quantizes with nothing.
struct PolicyParts {
  std::string quantizes;
  std::string evicts;
  bool operator==(const PolicyParts&) const = default;
};
/// Throws Error{usage} for a name that policies() does not have.
PolicyParts parts_of(std::string_view policy);
/// The shortest name of both: "h2o" of "full" and "h2o". One of the two may be empty.
std::string name_of(const PolicyParts& parts);

/// As the policy lists them, then those of violations: all that --set takes with it.
std::vector<Parameter> list_parameters(const ScopeParams& params);
/// The same of the same policy with nothing set.
ScopeParams defaults_of(const ScopeParams& params);
/// Sets every parameter that `name` means; a bare name that both halves of a composition have means
/// what quantizes. Throws Error{usage} with the nearest name.
void set_parameter(ScopeParams& params, std::string_view name, const ParameterValue& value);
/// Another policy: halves that both have stay as they are set, the rest has its defaults. Throws
/// Error{usage} with the nearest name, and for what is no composition.
void set_policy(ScopeParams& params, std::string_view name);
bool same_parameters(const ScopeParams& a, const ScopeParams& b);
/// The same, whatever counts as a violation: a replay does not depend on that.
bool same_policy(const ScopeParams& a, const ScopeParams& b);
/// The policy of `from` as it is set there; what counts as a violation stays.
void take_policy(ScopeParams& params, const ScopeParams& from);
/// "--policy kivi --set k_bits=4": what of a command line makes them; QAQ needs no --policy.
std::string command_line_text(const ScopeParams& params);

/// Throws Error{usage} where parameters make no sense.
std::shared_ptr<const CachePolicy> make_policy(const ScopeParams& params);
/// Throws Error{usage} as make_policy() does.
ReplayOptions replay_options(const ScopeParams& params, std::int64_t prefix);
/// What a replay was made with. No policy of this name need be known here.
ScopeParams scope_params_of(const std::string& policy, const std::vector<Parameter>& parameters);
/// Nothing is quantized or evicted: what others are held against.
ScopeParams exact_params();

}  // namespace qaq
