#pragma once

#include <string>

namespace qaq::gpu_check {

struct Machine {
  std::string name;
  int capability = 0;      ///< 10 x major + minor
  int driver = 0;          ///< CUDA version that the driver supports, 1000 x major + 10 x minor
  int runtime = 0;         ///< of this build
  double memory_rate = 0;  ///< bytes a second by the datasheet; 0: not known
  double f32_rate = 0;     ///< float32 operations a second by the datasheet; 0: not known
  double half_rate = 0;    ///< the same of tensor cores on 16-bit numbers, dense
  double copy_rate = 0;    ///< bytes read and written a second, measured; 0: not yet
  double link_rate = 0;    ///< bytes to the host a second, measured; 0: not yet
  std::string products;    ///< who multiplies 16-bit matrices of many rows
};

/// The first GPU. Throws Error{work} where there is none to run on.
Machine find_machine();

/// Fills the datasheet's rates, where the GPU of this name is known.
void add_datasheet(Machine& machine);

}  // namespace qaq::gpu_check
