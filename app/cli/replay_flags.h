#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/analysis/scope_params.h"
#include "core/policy/cache_policy.h"
#include "core/replay/capture_view.h"

namespace qaq::cli {

/// What every command takes that replays a capture: which, and how.
struct ReplayFlags {
  std::string capture{};
  std::string policy{};  ///< empty: the preset's, else QAQ
  std::string preset{};
  std::vector<std::string> assignments{};
  std::int64_t prefix = 0;

  /// What --policy, --preset and the --sets behind them mean. Throws Error{usage} where they make
  /// no sense.
  ScopeParams params() const;
  /// The same where only QAQ can do what is asked for; `what` says which, for people. Throws
  /// Error{usage} for another policy.
  ScopeParams qaq_params(const std::string& what) const;
  /// What decides by them. Throws as params().
  std::shared_ptr<const CachePolicy> cache_policy() const;
  /// --prefix, or the prompt where a text was generated behind it, which met a cache of the prompt.
  std::int64_t prefix_of(const CaptureInfo& info) const;
  /// Throws Error{usage} about `flag` where what it is to write is the capture itself.
  void check_output(const std::string& flag, const std::string& path) const;
};

/// Throws Error{usage} where the policy is not QAQ, which alone has `what`.
void require_qaq(const ScopeParams& params, const std::string& what);
/// --policy of a command that knows QAQ alone, which `what` names: another is refused as above.
void add_qaq_policy_flag(CLI::App& command, const std::string& what);

/// Adds the flags to a command. `flags` outlives it.
void add_replay_flags(CLI::App& command, ReplayFlags& flags);
/// The parameters of --set with their defaults, for a command's footer.
std::string parameter_help();
/// The same of QAQ's rivals.
std::string rival_help();
/// The same of any parameters, a line and its help each.
std::string parameter_lines(const std::vector<Parameter>& parameters);

}  // namespace qaq::cli
