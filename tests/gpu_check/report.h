#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/gpu_check/machine.h"

namespace qaq::gpu_check {

enum class Verdict { none, ok, slow, failed, skipped };
const char* verdict_name(Verdict verdict);

/// What a comparison found.
struct Compared {
  double worst = 0;
  double bound = 0;
  std::uint64_t digest = 0;
};

/// What bounds a speed: float32 arithmetic, or that of the tensor cores on 16-bit numbers.
enum class Limit { memory, arithmetic, half_arithmetic, link };

/// The median of one launch.
struct Timed {
  Limit limit = Limit::memory;
  double seconds = 0;       ///< 0: it ran, and was not timed
  double bytes = 0;         ///< that must move; 0: not counted
  double operations = 0;    ///< that must be done, where they are the limit
  double goal = 0;          ///< share of the datasheet's rate; 0: none
  double most_seconds = 0;  ///< the goal where it is a time; 0: none
};

struct Row {
  std::string section;  ///< "trust", "correct" or "fast"
  std::string group;    ///< rows of a group that passed are one line of the table
  std::string name;
  std::string shape;
  std::optional<Compared> compared;
  std::optional<Timed> timed;
  Verdict verdict = Verdict::none;
  std::string note;  ///< why it failed or was skipped, or what else was seen
};

/// Whether operations are the limit.
bool is_arithmetic(Limit limit);
/// Bytes or operations a second; 0 where there is no time.
double rate_of(const Timed& timed);
/// Shares of the datasheet's and of the measured copy's rate; nothing where one is not known.
std::optional<double> datasheet_share(const Timed& timed, const Machine& machine);
std::optional<double> copy_share(const Timed& timed, const Machine& machine);
/// ok or slow where there is a goal, and a datasheet where it is a share of one; else none.
Verdict speed_verdict(const Timed& timed, const Machine& machine);

struct Report {
  Machine machine;
  std::string commit;
  std::vector<std::string> arguments;
  std::vector<Row> rows;

  std::int64_t count(const std::string& section, Verdict verdict) const;
  /// Something was compared, and nothing failed anywhere.
  bool passed() const;
  void fail(const std::string& section, const std::string& name, const std::string& why);
  void skip(const std::string& section, const std::string& name, const std::string& why);
};

/// Writes FOLDER/gpu_check.json, and the folder where it is missing. Throws Error{work}.
void write_json(const Report& report, const std::string& folder);

}  // namespace qaq::gpu_check
