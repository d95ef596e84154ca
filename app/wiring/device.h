#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/base/progress.h"
#include "core/engine/backend.h"
#include "core/evaluate/policy_decoder.h"
#include "core/replay/replay_kernel.h"

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

/// Where `--device` says that replays are computed. Errors as make_backend().
OpenReplay make_replay(const std::string& device);

/// What a provenance says of a device.
void add_device(nlohmann::ordered_json& record, const DeviceInfo& device);
/// The same where replays are computed. The CPU is not named: its replays are the same on every
/// machine.
void add_replay_device(nlohmann::ordered_json& record, const std::string& device);

/// Whether this build has the CUDA backend.
bool has_cuda_backend();

}  // namespace qaq
