#include "app/cli/replay_flags.h"

#include <filesystem>
#include <system_error>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/policies.h"
#include "core/policy/qaq_policy.h"
#include "data/presets/preset.h"

namespace qaq::cli {

ScopeParams ReplayFlags::params() const { return scope_params_from(policy, preset, assignments); }

ScopeParams ReplayFlags::qaq_params(const std::string& what) const {
  ScopeParams out = params();
  require_qaq(out, what);
  return out;
}

std::shared_ptr<const CachePolicy> ReplayFlags::cache_policy() const {
  return make_policy(params());
}

std::int64_t ReplayFlags::prefix_of(const CaptureInfo& info) const {
  return prefix == 0 && info.n_prompt < info.n_tokens ? info.n_prompt : prefix;
}

void require_qaq(const ScopeParams& params, const std::string& what) {
  if (params.is_qaq()) return;
  refuse_usage({.place = "--policy",
                .what = cat(what, " is not there for ", params.policy, " yet"),
                .cure = "leave it out: qaq"});
}

void add_qaq_policy_flag(CLI::App& command, const std::string& what) {
  command
      .add_option_function<std::string>(
          "--policy", [what](const std::string& policy) { require_qaq({.policy = policy}, what); },
          "What decides the bits: qaq alone")
      ->type_name("NAME")
      ->default_str("qaq");
}

void ReplayFlags::check_output(const std::string& flag, const std::string& path) const {
  std::error_code not_there;
  if (!std::filesystem::equivalent(path, capture, not_there)) return;
  refuse_usage({.place = flag,
                .what = cat("'", path, "' is the capture itself"),
                .cure = "name another file"});
}

void add_replay_flags(CLI::App& command, ReplayFlags& flags) {
  command.add_option("capture", flags.capture, "The capture file")->required();
  command
      .add_option("--policy", flags.policy,
                  "What decides the bits and what is evicted; two of them as in qaq+h2o")
      ->type_name("NAME[+NAME]")
      ->default_str("qaq");
  command.add_option("--preset", flags.preset,
                     "Parameters from a bundled preset or a JSON file: paper, bound, FILE");
  command.add_option("--set", flags.assignments, "One parameter, NAME=VALUE; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--prefix", flags.prefix, "Tokens to quantize; 0: all")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str();
}

std::string parameter_help() {
  return "Parameters of --set (key.NAME or value.NAME for one cache, NAME for both):\n" +
         parameter_lines(list_parameters(ScopeParams{}));
}

std::string rival_help() {
  std::string out = "Parameters of --set with another --policy:\n";
  for (const PolicyEntry& each : policies().subspan(1)) {
    out += cat(" --policy ", each.name, ": ", each.help, "\n", parameter_lines(each.parameters()));
    for (const PolicyPreset& preset : each.presets()) {
      out += cat("  ", preset.source, ":");
      for (const std::string& assignment : preset.assignments) out += cat(" --set ", assignment);
      out += "\n";
    }
  }
  return out;
}

std::string parameter_lines(const std::vector<Parameter>& all) {
  std::string out;
  for (const Parameter& p : all) {
    if (p.section == "value") continue;
    const bool key_only = p.section == "key" && parameters_named(all, p.info.name).size() == 1;
    std::string kind;
    for (const std::string& choice : p.choices) kind += (kind.empty() ? "" : "|") + choice;
    out +=
        cat("  ", p.info.name, " = ", value_text(p.value), kind.empty() ? "" : "  (" + kind + ")",
            p.kind == ParameterKind::real_or_auto ? "  (or auto)" : "",
            key_only ? "  (key only)" : "", "\n      ", p.info.help, "\n");
  }
  return out;
}

}  // namespace qaq::cli
