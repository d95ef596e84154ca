#pragma once

#include <memory>

#include "core/engine/backend.h"
#include "core/evaluate/policy_decoder.h"
#include "core/replay/replay_kernel.h"
#include "gpu/device/probe.h"

namespace qaq {

/// The first NVIDIA GPU. Throws Error{work} where nothing can run there: no driver, one
/// that is too old, no GPU, a GPU that is too old. Nothing ever falls back to the CPU.
std::unique_ptr<Backend> make_cuda_backend();

/// Replays on the same GPU. Errors as make_cuda_backend().
OpenReplay make_cuda_replay();
/// A model that decodes on a quantized cache there (limits.max_batch: the prompt). Throws as
/// make_cuda_backend() and Backend::open() do, Error{usage} for what is planned on the CPU alone.
std::unique_ptr<PolicyDecoder> make_cuda_decoder(std::shared_ptr<const ModelSource> model,
                                                 const EngineLimits& limits,
                                                 const DecodePolicy& policy, const Work& work = {});

}  // namespace qaq
