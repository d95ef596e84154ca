#pragma once

#include <string>
#include <vector>

namespace qaq::test {

/// How a program ended.
struct ProgramResult {
  int exit_code = -1;  ///< 128 + signal where one killed it
  std::string out;     ///< standard output
  std::string err;     ///< standard error
  long max_resident_bytes = 0;
};

struct ProgramOptions {
  std::vector<std::string> environment{};  ///< "NAME=value", added to ours
  std::string signal_after_output{};       ///< send `signal` once standard error holds this text
  int signal = 0;
  int kill_after_seconds = 120;  ///< a hanging program fails the test instead of hanging it
};

/// Runs a program to its end, without a shell.
ProgramResult run_program(const std::vector<std::string>& argv, const ProgramOptions& options = {});

/// A folder of its own that is removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Names of what is in it, sorted.
  std::vector<std::string> names() const;

 private:
  std::string path_;
};

}  // namespace qaq::test
