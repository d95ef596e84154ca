// gpu_check: on a machine with a GPU, whether it can be trusted, whether kernels and engine are
// right, and how fast they are. README.md says how to run it and read its table.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "core/base/error.h"
#include "core/base/version.h"
#include "tests/gpu_check/steps.h"
#include "tests/gpu_check/table.h"

namespace qaq::gpu_check {
namespace {

std::vector<std::string> names_of(const std::vector<Step>& steps) {
  std::vector<std::string> names;
  for (const Step& step : steps) names.push_back(step.name);
  return names;
}

// Runs parts one by one. A failure is a row; after one that the GPU does not recover from nothing
// more is tried.
class Runner {
 public:
  explicit Runner(Context& context) : context_(context) {}

  void run(const std::string& section, const std::string& name,
           const std::function<void(Context&)>& part) {
    if (lost_) {
      context_.report.fail(section, name, "not run: the GPU failed before");
      return;
    }
    std::cerr << "gpu_check: " << section << ": " << name << std::endl;
    try {
      part(context_);
    } catch (const std::exception& error) {
      context_.report.fail(section, name, error.what());
    }
    cudaGetLastError();
    lost_ = cudaDeviceSynchronize() != cudaSuccess;
  }

 private:
  Context& context_;
  bool lost_ = false;
};

void run_steps(Context& context, const std::vector<Step>& steps) {
  std::vector<Step> wanted;
  for (const Step& step : steps) {
    if (context.options.only.empty() || context.options.only == step.name) wanted.push_back(step);
  }
  Runner runner(context);
  // The tensor cores first: where their numbers lie otherwise, all else is noise.
  runner.run("trust", "tensor cores", check_tensor_cores);
  runner.run("trust", "rates", measure_trust);
  for (const Step& step : wanted) {
    if (step.check) runner.run("correct", step.name, step.check);
  }
  // The speed of wrong numbers is of no use.
  const bool right = context.report.passed();
  for (const Step& step : wanted) {
    if (!step.time) continue;
    if (right) {
      runner.run("fast", step.name, step.time);
    } else {
      context.report.skip("fast", step.name, "something before failed");
    }
  }
}

std::string commit_of(const Options& options) {
  const std::string built = program_commit();
  return built == "unknown" && !options.commit.empty() ? options.commit : built;
}

int run(std::span<const char* const> arguments) {
  const std::vector<Step> steps = all_steps();
  const Options options = parse_options(arguments, names_of(steps));
  if (options.help) {
    std::cout << usage_text(names_of(steps));
    return 0;
  }
  // A library would take the shim's memory for a GPU's.
  if (options.shim) setenv("QAQ_CUBLASLT", "none", 1);
  Report report{.machine = find_machine(),
                .commit = commit_of(options),
                .arguments = {arguments.begin(), arguments.end()},
                .rows = {}};
  Context context{options, report};
  run_steps(context, steps);
  std::cout << table_text(report) << std::flush;
  if (!options.out.empty()) write_json(report, options.out);
  return report.passed() ? 0 : 1;
}

}  // namespace
}  // namespace qaq::gpu_check

int main(int argc, char** argv) {
  try {
    return qaq::gpu_check::run(std::span<const char* const>(argv + 1, argv + argc));
  } catch (const qaq::Error& error) {
    std::fprintf(stderr, "gpu_check: %s\n", error.what());
    return qaq::exit_code(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_check: %s\n", error.what());
    return 1;
  }
}
