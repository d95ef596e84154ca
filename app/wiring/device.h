#pragma once

#include <memory>
#include <string>

#include "core/engine/backend.h"

namespace qaq {

/// Where `--device` says that models run: "cpu", or "cuda" for the first NVIDIA GPU. Throws
/// Error{work} where it cannot be had; nothing falls back to the CPU.
std::unique_ptr<Backend> make_backend(const std::string& device);

/// Whether this build has the CUDA backend.
bool has_cuda_backend();

}  // namespace qaq
