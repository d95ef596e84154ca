#include "core/policy/policies.h"

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/block_policy.h"
#include "core/policy/kivi_policy.h"
#include "core/policy/qaq_policy.h"
#include "core/policy/uniform_policy.h"

namespace qaq {
namespace {

template <class Policy, class Params>
struct Defaults {
  static Params get() {
    if constexpr (requires { Policy::defaults(); }) {
      return Policy::defaults();
    } else {
      return {};
    }
  }
};

template <class Policy, class Params>
PolicyEntry entry(std::string_view name, std::string_view help) {
  return {
      .name = name,
      .help = help,
      .parameters = [] { return list_parameters(Defaults<Policy, Params>::get()); },
      .make = [](std::span<const std::string> assignments) -> std::shared_ptr<const CachePolicy> {
        Params params = Defaults<Policy, Params>::get();
        for (const std::string& each : assignments) apply_assignment(params, each);
        return std::make_shared<Policy>(params);
      }};
}

}  // namespace

std::span<const PolicyEntry> policies() {
  static const std::array kAll{
      entry<QaqPolicy, QaqParams>("qaq", "Bits from attention and query norms (arXiv 2403.04643)"),
      entry<UniformPolicy, UniformParams>("uniform", "The same bits for all, by groups"),
      entry<KiviPolicy, KiviParams>(
          "kivi", "Keys by channel, values by token, the newest exact (arXiv 2402.02750)"),
      entry<BlockPolicy<CacheType::q8_0>, BlockParams>("q8_0", "llama.cpp's blocks of 8.5 bits"),
      entry<BlockPolicy<CacheType::q4_0>, BlockParams>("q4_0", "llama.cpp's blocks of 4.5 bits"),
  };
  return kAll;
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
