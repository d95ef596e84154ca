// Kernels with one planted fault each: what keeps the shim and the sanitizers honest.
#pragma once

#include <cuda_runtime_api.h>
#include <span>

namespace qaq::faults {

constexpr int kThreads = 64;  ///< of a block

struct FaultData {
  const float* in = nullptr;       ///< (kThreads): 1, 2, 3, ...
  float* out = nullptr;            ///< FaultCase::n_out numbers
  unsigned* words = nullptr;       ///< (kThreads): all 1
  const float* nothing = nullptr;  ///< (kThreads): never written
  int stride = 100000000;          ///< of rows, in numbers; a multiple of kThreads
  int word_bits = 32;
};

/// What a build must find a fault by.
enum class Finder {
  kNone,       ///< it cannot see the fault
  kReport,     ///< the shim ends the launch, or finds memory written past its end
  kValues,     ///< a result that is not what a sound kernel gives, under some schedule
  kSanitizer,  ///< the sanitizer ends the program
};

struct FaultCase {
  const char* name;
  void (*kernel)(FaultData);
  float (*right)(int i);  ///< the sound kernel's out[i]
  Finder plain, asan, tsan;
  int n_out = kThreads;
  unsigned n_blocks = 1;
};

/// The first is sound.
std::span<const FaultCase> fault_cases();

cudaError_t launch_fault(const FaultCase& fault, const FaultData& data);

}  // namespace qaq::faults
