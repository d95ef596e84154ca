#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>

#include "core/base/progress.h"
#include "core/base/stopwatch.h"

namespace qaq::cli {

/// Progress on standard error: a bar on a terminal with the time left, a plain line a stage
/// elsewhere, nothing when quiet.
class ConsoleProgress : public Progress {
 public:
  explicit ConsoleProgress(bool quiet);
  ~ConsoleProgress() override;
  void update(const ProgressState& state) override;
  /// A line for people, beside the bar; nothing when quiet.
  void note(const std::string& line);

 private:
  void finish_line();

  bool quiet_;
  bool terminal_;
  bool line_open_ = false;
  std::string stage_;
  std::chrono::steady_clock::time_point stage_start_;
  std::int64_t stage_done_ = 0;  ///< when its first report came
  std::chrono::steady_clock::time_point last_drawn_;
};

/// Turns SIGINT and SIGTERM into a stop request, so that work ends in order and leaves no broken
/// file. A second signal ends the program at once.
class Interruption {
 public:
  Interruption();
  static std::stop_token stop_token();
  /// 130 after SIGINT, 143 after SIGTERM.
  static int exit_code();
};

/// Prints one JSON document on standard output; adds schema_version in front.
void print_json(const nlohmann::ordered_json& document);

/// For commands that run on the CPU alone. Throws Error{work} for cuda.
void require_device(const std::string& device);

/// What produced a file, free of user names and folders (formats.md, provenance).
nlohmann::ordered_json provenance();
/// The command line of this run, paths cut to file names.
const std::string& command_line();
void remember_command_line(int argc, char** argv);

}  // namespace qaq::cli
