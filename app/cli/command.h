#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace qaq::cli {

/// Flags that every command takes.
struct CommonOptions {
  bool json = false;
  bool quiet = false;
  int threads = 0;
  std::string device = "cpu";
};

/// Each command is one file that adds itself to the program: a subcommand with its flags, an
/// example or two in the footer, and a callback that does the work. To add one: write
/// app/cli/NAME.cpp with `void add_NAME(CLI::App&, const CommonOptions&)`, declare it here and list
/// it in main.cpp.
void add_capture(CLI::App& program, const CommonOptions& common);
void add_compare(CLI::App& program, const CommonOptions& common);
void add_compare_methods(CLI::App& program, const CommonOptions& common);
void add_diagnose(CLI::App& program, const CommonOptions& common);
void add_doctor(CLI::App& program, const CommonOptions& common);
void add_evaluate(CLI::App& program, const CommonOptions& common);
void add_experiment(CLI::App& program, const CommonOptions& common);
void add_explain(CLI::App& program, const CommonOptions& common);
void add_export(CLI::App& program, const CommonOptions& common);
void add_info(CLI::App& program, const CommonOptions& common);
void add_model(CLI::App& program, const CommonOptions& common);
void add_replay(CLI::App& program, const CommonOptions& common);
void add_risk(CLI::App& program, const CommonOptions& common);
void add_run(CLI::App& program, const CommonOptions& common);
void add_sweep(CLI::App& program, const CommonOptions& common);
void add_tokenize(CLI::App& program, const CommonOptions& common);
void add_tune(CLI::App& program, const CommonOptions& common);

}  // namespace qaq::cli
