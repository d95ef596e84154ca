#pragma once

#include <functional>
#include <string>
#include <vector>

namespace qaq::test {

/// How a program ended.
struct ProgramResult {
  int exit_code = -1;  ///< -signal where one killed it
  std::string out;     ///< standard output
  std::string err;     ///< standard error
  long max_resident_bytes = 0;
};

struct ProgramOptions {
  std::vector<std::string> environment{};  ///< "NAME=value", added to ours
  std::string signal_after_output{};    ///< send `signal` once one of the outputs holds this text
  std::function<bool()> signal_when{};  ///< or once this is true, asked a few times a second
  int signal = 0;
  int kill_after_seconds = 120;  ///< a hanging program fails the test instead of hanging it
};

/// Runs a program to its end, without a shell.
ProgramResult run_program(const std::vector<std::string>& argv, const ProgramOptions& options = {});

}  // namespace qaq::test
