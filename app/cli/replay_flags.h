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
  std::string policy = "qaq";
  std::string preset{};
  std::vector<std::string> assignments{};
  std::int64_t prefix = 0;

  /// What --preset and the --sets behind it mean; of a rival the defaults, for --set means the
  /// rival's parameters then. Throws Error{usage} where they make no sense.
  ScopeParams params() const;
  /// The rival of that name with its --sets; null: it is QAQ. Throws Error{usage}.
  std::shared_ptr<const CachePolicy> rival() const;
  /// Either of the two, whichever it is. Throws as they do.
  std::shared_ptr<const CachePolicy> cache_policy() const;
  /// Throws Error{usage} where a rival is asked for what is known of QAQ alone; `what` says which,
  /// for people.
  void require_qaq(const std::string& what) const;
  /// --prefix, or the prompt where a text was generated behind it, which met a cache of the prompt.
  std::int64_t prefix_of(const CaptureInfo& info) const;
  /// Throws Error{usage} about `flag` where what it is to write is the capture itself.
  void check_output(const std::string& flag, const std::string& path) const;
};

/// Throws as ReplayFlags::require_qaq().
void require_qaq(const std::string& policy, const std::string& what);
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
