#pragma once

#include <string>
#include <vector>

namespace qaq::cli {

/// What the NVIDIA driver of this machine says, asked at run time: nothing of CUDA is linked.
struct CudaProbe {
  std::string driver{};                ///< CUDA version that it supports: "12.4"; empty: none
  std::vector<std::string> devices{};  ///< their names
  std::string problem{};               ///< why there is nothing to use; empty where there is
};

CudaProbe probe_cuda();

}  // namespace qaq::cli
