#pragma once

#include <memory>
#include <string>

#include "core/base/progress.h"
#include "core/engine/backend.h"
#include "core/evaluate/policy_decoder.h"

namespace qaq {

/// Where `--device` says that models run: "cpu", or "cuda" for the first NVIDIA GPU. Throws
/// Error{work} where it cannot be had; nothing falls back to the CPU.
std::unique_ptr<Backend> make_backend(const std::string& device);

/// A model opened on such a backend so that it decodes on a cache which a policy quantizes. Throws
/// as validate(policy), as Backend::open(), and Error{work} where the device has no such decoder.
std::unique_ptr<PolicyDecoder> make_policy_decoder(const Backend& backend,
                                                   std::shared_ptr<const ModelSource> model,
                                                   const EngineLimits& limits,
                                                   const DecodePolicy& policy, const Work& work);

/// Whether this build has the CUDA backend.
bool has_cuda_backend();

}  // namespace qaq
