#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/evaluate/multiple_choice.h"
#include "core/policy/qaq_params.h"
#include "core/tensor/dtype.h"

namespace qaq::cli {

/// What `qaq sweep` is asked for: captures, or a task on a model.
struct SweepCommand {
  std::vector<std::string> captures;
  std::string model, task;
  double prune_weights = 0;
  std::int64_t limit = 0;
  std::optional<std::uint32_t> seed;
  ChoiceOptions choice;
  DType dtype = DType::f32;
  std::string grid;
  std::string preset;
  std::vector<std::string> assignments;
  std::int64_t prefix = 0;
  std::int64_t n_rows = 32;
  std::string shard;
  std::string output;
  bool dry_run = false;
};

void add_sweep_flags(CLI::App& command, SweepCommand& options);
/// Throws Error{usage} where captures, a task or the grid are missing, or both of the first given.
void check_sweep_usage(const SweepCommand& options);

/// Runs i, i + n, i + 2n ... of all.
struct Shard {
  std::size_t index = 0;
  std::size_t count = 1;
};
/// "I/N"; all runs where it is empty. Throws Error{usage}.
Shard parse_shard(const std::string& text);

/// Every setting of the grid, on top of --preset and --set. Throws Error{input} naming the grid's
/// file, {usage} for flags.
std::vector<QaqParams> settings_of_grid(const SweepCommand& options);

}  // namespace qaq::cli
