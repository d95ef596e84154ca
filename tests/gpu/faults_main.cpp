// faults CASE   runs a planted fault under every schedule
// faults --list  NAME FINDER FINDER FINDER: by what the plain, the address and the thread
//                sanitizer's build must find each
//
// The exit status says what was found: nothing 0, a report of the shim 3, wrong values 4; a
// sanitizer ends the program with its own.
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/gpu/fault_kernels.h"
#include "tests/gpu/simt/simt.h"

namespace qaq::faults {
namespace {

enum Status { kNothing = 0, kUsage = 2, kReported = 3, kWrongValues = 4 };

constexpr simt::Schedule kSchedules[] = {simt::Schedule::kForward, simt::Schedule::kReverse,
                                         simt::Schedule::kRandom};
constexpr std::uint64_t kSeed = 3;

template <class T>
T* on_device(std::size_t n) {
  void* memory = nullptr;
  return cudaMalloc(&memory, n * sizeof(T)) == cudaSuccess ? static_cast<T*>(memory) : nullptr;
}

template <class T>
T* on_device(const std::vector<T>& values) {
  T* memory = on_device<T>(values.size());
  cudaMemcpy(memory, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice);
  return memory;
}

Status report() {
  std::printf("report: %s\n", simt::last_report().c_str());
  return kReported;
}

Status compare(const FaultCase& fault, const std::vector<float>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float right = fault.right(static_cast<int>(i));
    if (out[i] == right) continue;
    std::printf("out[%zu] is %g, not %g\n", i, static_cast<double>(out[i]),
                static_cast<double>(right));
    return kWrongValues;
  }
  return kNothing;
}

Status run(const FaultCase& fault) {
  std::vector<float> in(kThreads), out(static_cast<std::size_t>(fault.n_out));
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i + 1);
  auto* words = on_device(std::vector<unsigned>(kThreads, 1));
  auto* device_in = on_device(in);
  auto* device_out = on_device<float>(out.size());
  auto* nothing = on_device<float>(kThreads);
  const FaultData data{.in = device_in, .out = device_out, .words = words, .nothing = nothing};
  if (launch_fault(fault, data) != cudaSuccess) return report();
  cudaMemcpy(out.data(), device_out, out.size() * sizeof(float), cudaMemcpyDeviceToHost);
  for (void* memory : std::initializer_list<void*>{words, device_in, device_out, nothing}) {
    if (cudaFree(memory) != cudaSuccess) return report();
  }
  return compare(fault, out);
}

Status run_all_schedules(const FaultCase& fault) {
  for (const simt::Schedule schedule : kSchedules) {
    simt::set_schedule(schedule, kSeed);
    if (const Status status = run(fault); status != kNothing) return status;
  }
  std::printf("nothing found\n");
  return kNothing;
}

const char* name_of(Finder finder) {
  switch (finder) {
    case Finder::kReport:
      return "report";
    case Finder::kValues:
      return "values";
    case Finder::kSanitizer:
      return "sanitizer";
    case Finder::kNone:
      break;
  }
  return "none";
}

int list() {
  for (const FaultCase& fault : fault_cases()) {
    std::printf("%s %s %s %s\n", fault.name, name_of(fault.plain), name_of(fault.asan),
                name_of(fault.tsan));
  }
  return 0;
}

int usage() {
  std::fprintf(stderr, "usage: faults CASE | --list\n");
  return kUsage;
}

int main_of(int argc, char** argv) {
  if (argc != 2) return usage();
  if (std::strcmp(argv[1], "--list") == 0) return list();
  for (const FaultCase& fault : fault_cases()) {
    if (std::strcmp(argv[1], fault.name) == 0) return run_all_schedules(fault);
  }
  return usage();
}

}  // namespace
}  // namespace qaq::faults

int main(int argc, char** argv) { return qaq::faults::main_of(argc, argv); }
