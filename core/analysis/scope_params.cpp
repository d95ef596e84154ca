#include "core/analysis/scope_params.h"

#include <algorithm>
#include <utility>

#include "core/base/text.h"
#include "core/policy/policies.h"
#include "core/policy/qaq_policy.h"

namespace qaq {
namespace {

constexpr std::string_view kNothing = "full";  // quantizes nothing and evicts nothing

// What the parameters of the evicting half of a composition are called by; empty: it has none.
std::string evicting_section(std::string_view policy) {
  const std::size_t plus = policy.find('+');
  return plus == std::string_view::npos ? std::string() : std::string(policy.substr(plus + 1));
}

bool is_of_qaq(const ScopeParams& params, const Parameter& parameter) {
  return params.uses_qaq() &&
         (params.is_qaq() || parameter.section != evicting_section(params.policy));
}

// The same of one half of a policy, whatever it is composed with: "h2o.heavy_ratio".
std::string whole_name(std::string_view policy, const Parameter& parameter) {
  const std::string evicting = evicting_section(policy);
  if (!evicting.empty() && parameter.section == evicting) return parameter.name;
  return cat(policy.substr(0, policy.find('+')), ".", parameter.name);
}

std::vector<std::string> assignments_of(const ScopeParams& params) {
  std::vector<std::string> out;
  for (const Parameter& each : params.rest) {
    out.push_back(cat(each.name, "=", value_text(each.value)));
  }
  if (!params.uses_qaq()) return out;
  for (const Parameter& each : list_parameters(params.qaq)) {
    out.push_back(cat(each.name, "=", value_text(each.value)));
  }
  return out;
}

}  // namespace

PolicyParts parts_of(std::string_view policy) {
  const std::size_t plus = policy.find('+');
  if (plus != std::string_view::npos) {
    return {std::string(policy_named(policy.substr(0, plus)).name),
            std::string(policy_named(policy.substr(plus + 1)).name)};
  }
  const PolicyEntry& entry = policy_named(policy);
  std::string name(entry.name);
  if (entry.make({})->retention() != nullptr) return {{}, std::move(name)};
  return {std::move(name), {}};
}

std::string name_of(const PolicyParts& parts) {
  if (parts.evicts.empty())
    return parts.quantizes.empty() ? std::string(kNothing) : parts.quantizes;
  if (parts.quantizes.empty() || parts.quantizes == kNothing) return parts.evicts;
  return cat(parts.quantizes, "+", parts.evicts);
}

std::vector<Parameter> list_parameters(const ScopeParams& params) {
  if (!params.uses_qaq()) return params.rest;
  std::vector<Parameter> out = list_parameters(params.qaq);
  out.insert(out.end(), params.rest.begin(), params.rest.end());
  std::ranges::move(list_parameters(params.violation), std::back_inserter(out));
  return out;
}

ScopeParams defaults_of(const ScopeParams& params) {
  ScopeParams out;
  if (!params.is_qaq()) set_policy(out, params.policy);
  return out;
}

void set_parameter(ScopeParams& params, std::string_view name, const ParameterValue& value) {
  std::vector<Parameter> meant = parameters_named(list_parameters(params), name);
  const std::string evicting = evicting_section(params.policy);
  const auto quantizes = [&](const Parameter& each) { return each.section != evicting; };
  if (!evicting.empty() && std::ranges::any_of(meant, quantizes)) {
    std::erase_if(meant, [&](const Parameter& each) { return !quantizes(each); });
  }
  for (const Parameter& parameter : meant) {
    const ParameterValue checked = checked_value(parameter, value);
    const auto own = std::ranges::find(params.rest, parameter.name, &Parameter::name);
    if (own != params.rest.end()) {
      own->value = checked;
      continue;
    }
    detail::Setter setter{&parameter.name, &checked, {}};
    QaqParams::visit(params.qaq, setter);
    ViolationParams::visit(params.violation, setter);
  }
}

void set_policy(ScopeParams& params, std::string_view name) {
  ScopeParams next;
  next.policy = name_of(parts_of(name));
  // Refuses what is no composition.
  next.rest = make_policy(next.policy, {})->parameters();
  std::erase_if(next.rest, [&](const Parameter& each) { return is_of_qaq(next, each); });
  if (next.uses_qaq() && params.uses_qaq()) {
    next.qaq = params.qaq;
    next.violation = params.violation;
  }
  for (Parameter& each : next.rest) {
    const std::string wanted = whole_name(next.policy, each);
    for (const Parameter& before : params.rest) {
      if (whole_name(params.policy, before) == wanted) each.value = before.value;
    }
  }
  params = std::move(next);
}

bool same_parameters(const ScopeParams& a, const ScopeParams& b) {
  return same_policy(a, b) && same_parameters(a.violation, b.violation);
}

bool same_policy(const ScopeParams& a, const ScopeParams& b) {
  const auto same = [](const Parameter& p, const Parameter& q) {
    return p.name == q.name && p.value == q.value;
  };
  return a.policy == b.policy && same_parameters(a.qaq, b.qaq) &&
         std::ranges::equal(a.rest, b.rest, same);
}

void take_policy(ScopeParams& params, const ScopeParams& from) {
  const ViolationParams violation = from.uses_qaq() ? params.violation : ViolationParams();
  params = from;
  params.violation = violation;
}

std::string command_line_text(const ScopeParams& params) {
  const std::string set =
      command_line_text(list_parameters(params), list_parameters(defaults_of(params)));
  if (params.is_qaq()) return set;
  return cat("--policy ", params.policy, set.empty() ? "" : " ", set);
}

std::shared_ptr<const CachePolicy> make_policy(const ScopeParams& params) {
  if (params.is_qaq()) return std::make_shared<QaqPolicy>(params.qaq);
  return make_policy(params.policy, assignments_of(params));
}

ReplayOptions replay_options(const ScopeParams& params, std::int64_t prefix) {
  ReplayOptions out{.params = params.qaq, .prefix = prefix};
  if (params.is_qaq()) {
    validate(params.qaq);
  } else {
    out.policy = make_policy(params);
  }
  return out;
}

ScopeParams scope_params_of(const std::string& policy, const std::vector<Parameter>& parameters) {
  ScopeParams out;
  out.policy = policy;
  for (const Parameter& each : parameters) {
    if (!is_of_qaq(out, each)) {
      out.rest.push_back(each);
      continue;
    }
    set_parameter(out.qaq, each.name, each.value);
  }
  return out;
}

ScopeParams exact_params() {
  ScopeParams out;
  out.qaq.key.level = out.qaq.value.level = Level::no_quantization;
  return out;
}

}  // namespace qaq
