#include <cstdio>
#include <exception>
#include <new>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/base/version.h"

namespace {

constexpr int kWorkFailed = qaq::exit_code(qaq::ErrorKind::work);
constexpr int kWrongUsage = qaq::exit_code(qaq::ErrorKind::usage);

int report(const qaq::Error& error) {
  if (error.kind() == qaq::ErrorKind::interrupted) {
    const bool tells = !error.text().cure.empty();
    std::fprintf(stderr, "qaq: %s\n", tells ? error.what() : "interrupted; no file was written");
    return qaq::cli::Interruption::exit_code();
  }
  std::fprintf(stderr, "qaq: %s\n", error.what());
  return qaq::exit_code(error.kind());
}

// CLI11's message may hold line breaks; an error is one line.
int report_usage(const CLI::ParseError& error, const CLI::App& program) {
  std::string line = error.what();
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == '.')) line.pop_back();
  std::string command = "qaq";
  for (const CLI::App* chosen : program.get_subcommands()) command += " " + chosen->get_name();
  std::fprintf(stderr, "qaq: %s; see %s --help\n", line.c_str(), command.c_str());
  return kWrongUsage;
}

void add_common_flags(CLI::App& app, qaq::cli::CommonOptions& common) {
  app.add_flag("--json", common.json, "Print one JSON document on standard output");
  app.add_flag("--quiet", common.quiet, "No progress on standard error");
  app.add_option("--threads", common.threads, "Threads to use; 0: all")
      ->check(CLI::Range(0, 4096))
      ->each([](const std::string& text) { qaq::set_thread_count(std::stoi(text)); })
      ->capture_default_str();
  app.add_option("--device", common.device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
  qaq::cli::remember_command_line(argc, argv);
  const qaq::cli::Interruption interruption;
  qaq::cli::CommonOptions common;

  CLI::App program{
      "Captures, replays and shows what happens when a language model's KV cache is quantized "
      "(QAQ, arXiv 2403.04643)."};
  program.set_version_flag(
      "--version", qaq::cat("qaq ", qaq::program_version(), " (", qaq::program_commit(), ")"));
  program.require_subcommand(1);
  program.failure_message(CLI::FailureMessage::simple);
  program.footer(
      "Examples:\n"
      "  qaq model fetch smollm2-135m\n"
      "  qaq run --model smollm2-135m --chat --prompt \"Why is the sky blue?\"\n"
      "  qaq capture --model smollm2-135m --prompt \"The lighthouse keeper\" -o story.h5\n"
      "  qaq replay story.h5 --set target_quantization_error=3 --json");
  qaq::cli::add_run(program, common);
  qaq::cli::add_capture(program, common);
  qaq::cli::add_replay(program, common);
  qaq::cli::add_compare(program, common);
  qaq::cli::add_compare_methods(program, common);
  qaq::cli::add_evaluate(program, common);
  qaq::cli::add_experiment(program, common);
  qaq::cli::add_explain(program, common);
  qaq::cli::add_diagnose(program, common);
  qaq::cli::add_risk(program, common);
  qaq::cli::add_export(program, common);
  qaq::cli::add_sweep(program, common);
  qaq::cli::add_tune(program, common);
  qaq::cli::add_info(program, common);
  qaq::cli::add_tokenize(program, common);
  qaq::cli::add_model(program, common);
  qaq::cli::add_doctor(program, common);
  // Commands that hold commands (model fetch) pass the flags on to those.
  const auto named = [](const CLI::App* app) {
    return !app->get_name().empty();
  };  // no option group
  for (CLI::App* command : program.get_subcommands(named)) {
    const auto inner = command->get_subcommands(named);
    if (command->get_require_subcommand_min() == 0) add_common_flags(*command, common);
    for (CLI::App* leaf : inner) add_common_flags(*leaf, common);
  }

  try {
    program.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.exit(error);
    return report_usage(error, program);
  } catch (const qaq::Error& error) {
    return report(error);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "qaq: out of memory; use fewer tokens or --attention derive\n");
    return kWorkFailed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qaq: %s\n", error.what());
    return kWorkFailed;
  }
}
