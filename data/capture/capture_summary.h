#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/base/progress.h"

namespace qaq {

/// What `qaq info` says of a capture: model, tokenizer, prompt, profile, every dataset with its
/// shape, dtype, layout and stored bytes, provenance, and the stored runs with their metrics.
/// Checks the capture as open_capture does and throws as it does.
nlohmann::ordered_json capture_summary(const std::string& path, const Work& work = {});

}  // namespace qaq
