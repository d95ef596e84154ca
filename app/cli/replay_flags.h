#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "core/analysis/scope_params.h"

namespace qaq::cli {

/// What every command takes that replays a capture: which, and how.
struct ReplayFlags {
  std::string capture;
  std::string policy = "qaq";
  std::string preset;
  std::vector<std::string> assignments;
  std::int64_t prefix = 0;

  /// What --preset and the --sets behind it mean. Throws Error{usage} where they make no sense.
  ScopeParams params() const;
  /// Throws Error{usage} about `flag` where what it is to write is the capture itself.
  void check_output(const std::string& flag, const std::string& path) const;
};

/// Adds the flags to a command. `flags` outlives it.
void add_replay_flags(CLI::App& command, ReplayFlags& flags);
/// The parameters of --set with their defaults, for a command's footer.
std::string parameter_help();
/// The same of any parameters, a line and its help each.
std::string parameter_lines(const std::vector<Parameter>& parameters);

}  // namespace qaq::cli
