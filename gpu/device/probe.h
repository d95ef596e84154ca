#pragma once

#include <cstdint>
#include <string>

namespace qaq::cuda {

/// What there is to run on. Found without throwing and without a driver.
struct Probe {
  std::string problem;  ///< why nothing can run here, as one sentence's middle; empty: it can
  std::string name;     ///< of the GPU
  int capability = 0;   ///< 10 x major + minor: 90
  int driver = 0;   ///< CUDA version that the driver supports, 1000 x major + 10 x minor; 0: none
  int runtime = 0;  ///< of this build
};

/// "13.0" of 13000.
std::string version_text(int version);

/// The first GPU of the machine.
Probe probe();

/// Bytes of the GPU that can be had now. Throws Error{work}.
std::int64_t free_device_bytes();

}  // namespace qaq::cuda
