#pragma once

#include <memory>

#include "core/engine/backend.h"
#include "core/replay/replay_kernel.h"
#include "gpu/device/probe.h"

namespace qaq {

/// The first NVIDIA GPU. Throws Error{work} where nothing can run there: no driver, one
/// that is too old, no GPU, a GPU that is too old. Nothing ever falls back to the CPU.
std::unique_ptr<Backend> make_cuda_backend();

/// Replays on the same GPU. Errors as make_cuda_backend().
OpenReplay make_cuda_replay();

}  // namespace qaq
