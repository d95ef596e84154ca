#include "core/policy/policies.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/adakv_policy.h"
#include "core/policy/block_policy.h"
#include "core/policy/composed_policy.h"
#include "core/policy/expected_attention_policy.h"
#include "core/policy/full_policy.h"
#include "core/policy/h2o_policy.h"
#include "core/policy/kivi_policy.h"
#include "core/policy/knorm_policy.h"
#include "core/policy/kvquant_policy.h"
#include "core/policy/observed_attention_policy.h"
#include "core/policy/pyramidkv_policy.h"
#include "core/policy/qaq_policy.h"
#include "core/policy/random_policy.h"
#include "core/policy/scissorhands_policy.h"
#include "core/policy/snapkv_policy.h"
#include "core/policy/streaming_llm_policy.h"
#include "core/policy/tova_policy.h"
#include "core/policy/uniform_policy.h"

namespace qaq {
namespace {

template <class Policy, class Params>
Params defaults_of() {
  if constexpr (requires { Policy::defaults(); }) {
    return Policy::defaults();
  } else {
    return {};
  }
}

template <class Policy>
std::span<const PolicyPreset> presets_of() {
  if constexpr (requires { Policy::presets(); }) {
    return Policy::presets();
  } else {
    return {};
  }
}

template <class Policy>
std::optional<PolicyBudget> budget_of() {
  if constexpr (requires { Policy::budget(); }) {
    return Policy::budget();
  } else {
    return {};
  }
}

template <class Policy, class Params>
PolicyEntry entry(std::string_view name, std::string_view help) {
  return {
      .name = name,
      .help = help,
      .parameters = [] { return list_parameters(defaults_of<Policy, Params>()); },
      .presets = presets_of<Policy>,
      .evicts = std::is_base_of_v<TokenRetention, Policy>,
      .make = [](std::span<const std::string> assignments) -> std::shared_ptr<const CachePolicy> {
        Params params = defaults_of<Policy, Params>();
        for (const std::string& each : assignments) apply_assignment(params, each);
        return std::make_shared<Policy>(params);
      },
      .budget = budget_of<Policy>()};
}

template <class Policy>
PolicyEntry evicting(std::string_view name) {
  return entry<Policy, typename Policy::Params>(name, Policy::kHelp);
}

bool knows(const PolicyEntry& entry, std::string_view parameter) {
  return std::ranges::any_of(entry.parameters(), [&](const Parameter& each) {
    return each.name == parameter || each.info.name == parameter;
  });
}

}  // namespace

std::span<const PolicyEntry> policies() {
  static const std::array kAll{
      entry<QaqPolicy, QaqParams>("qaq", "Bits from attention and query norms (arXiv 2403.04643)"),
      entry<FullPolicy, FullParams>("full", "The whole cache at full precision"),
      entry<UniformPolicy, UniformParams>("uniform", "The same bits for all, by groups"),
      entry<KiviPolicy, KiviParams>(
          "kivi", "Keys by channel, values by token, the newest exact (arXiv 2402.02750)"),
      entry<KvquantPolicy, KvquantParams>(
          "kvquant",
          "Keys before RoPE by channel, values by token, in calibrated codebooks, outliers exact "
          "(arXiv 2401.18079)"),
      entry<BlockPolicy<CacheType::q8_0>, BlockParams>("q8_0", "llama.cpp's blocks of 8.5 bits"),
      entry<BlockPolicy<CacheType::q4_0>, BlockParams>("q4_0", "llama.cpp's blocks of 4.5 bits"),
      evicting<H2oPolicy>("h2o"),
      evicting<ScissorhandsPolicy>("scissorhands"),
      evicting<StreamingLlmPolicy>("streaming_llm"),
      evicting<SnapKvPolicy>("snapkv"),
      evicting<PyramidKvPolicy>("pyramidkv"),
      evicting<KnormPolicy>("knorm"),
      evicting<TovaPolicy>("tova"),
      evicting<ObservedAttentionPolicy>("observed_attention"),
      evicting<ExpectedAttentionPolicy>("expected_attention"),
      evicting<RandomPolicy>("random"),
      evicting<AdaKvPolicy>("adakv"),
  };
  return kAll;
}

std::shared_ptr<const CachePolicy> make_policy(std::string_view name,
                                               std::span<const std::string> assignments) {
  const std::size_t plus = name.find('+');
  if (plus == std::string_view::npos) return policy_named(name).make(assignments);
  const PolicyEntry& keeping = policy_named(name.substr(0, plus));
  const PolicyEntry& evicting = policy_named(name.substr(plus + 1));
  const std::string section = cat(evicting.name, ".");
  std::vector<std::string> of_keeping, of_evicting;
  for (const std::string& each : assignments) {
    const std::string parameter = split_assignment(each).first;
    if (parameter.starts_with(section)) {
      of_evicting.push_back(each.substr(section.size()));
    } else if (knows(evicting, parameter) && !knows(keeping, parameter)) {
      of_evicting.push_back(each);
    } else {
      of_keeping.push_back(each);
    }
  }
  return std::make_shared<ComposedPolicy>(keeping.make(of_keeping), evicting.make(of_evicting));
}

bool is_qaq(const CachePolicy& policy) { return policy.name() == policies().front().name; }

std::string command_line_text(const CachePolicy& policy) {
  const std::string sets =
      command_line_text(policy.parameters(), make_policy(policy.name(), {})->parameters());
  if (is_qaq(policy)) return sets;
  return cat("--policy ", policy.name(), sets.empty() ? "" : " ", sets);
}

const PolicyEntry& policy_named(std::string_view name) {
  const auto found = std::ranges::find(policies(), name, &PolicyEntry::name);
  if (found != policies().end()) return *found;
  const auto nearest = nearest_name(name, policy_names());
  refuse_usage({.place = "--policy",
                .what = cat("there is no policy '", name, "'"),
                .cure = nearest ? cat("did you mean ", *nearest, "?")
                                : "see qaq replay --help for their names"});
}

std::vector<std::string> policy_names() {
  std::vector<std::string> out;
  for (const PolicyEntry& each : policies()) out.emplace_back(each.name);
  return out;
}

}  // namespace qaq
